"""A tree drawn as SVG, from left to right."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from mlwright.explain._model import TreeModel

_BOX_WIDTH, _BOX_HEIGHT, _GAP_X, _ROW, _MARGIN, _TITLE = 208, 38, 64, 48, 12, 28
_TEXT_WIDTH, _NAME_WIDTH = _BOX_WIDTH - 12, 104  # of a line; of a name in a question
_STYLE = (
    "text{font:12px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#1d2733}"
    ".b{font-weight:600}.s{font-size:10.5px;fill:#5a6776}.t{font-size:14px;font-weight:600}"
    ".n{fill:#eef3f9;stroke:#8aa4c2}.u{fill:#e9f6ec;stroke:#78b58a}.d{fill:#fdefe6;stroke:#d69a6c}"
    ".m{fill:#f4f4f4;stroke:#a5a5a5;stroke-dasharray:4 3}.e{fill:none;stroke:#9aa7b5}"
)


@dataclass(frozen=True)
class TreePicture:
    """A drawn tree; notebooks show it.

    Attributes
    ----------
    svg : str
        A document of its own: no scripts, no links.
    """

    svg: str

    def _repr_svg_(self):
        return self.svg

    def save(self, path):
        """Write the SVG to a file."""
        Path(path).write_text(self.svg, encoding="utf-8")


def draw_tree(model, index=0, *, feature_names=None, category_names=None, max_depth=None):
    """One tree of a model as a picture: what its nodes ask, how many rows went where, and what its leaves add.

    Parameters
    ----------
    model : object
        As of :class:`TreeExplainer`.
    index : int, default=0
        Which tree; negative ones count from the end. A model of several outputs has that many trees an iteration.
    feature_names : sequence of str, default=None
        Default: those that the model was fitted with.
    category_names : dict, default=None
        For a feature's number, the names of its categories in the order of their codes. Default: those that the model
        keeps, else the codes.
    max_depth : int, default=None
        Deeper nodes are left out, and their leaves counted.

    Returns
    -------
    picture : TreePicture
        With ``save(path)``; notebooks show it as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.ensemble import HistGradientBoostingRegressor
    >>> from mlwright.explain import draw_tree
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> model = HistGradientBoostingRegressor(max_leaf_nodes=4).fit(X, 2 * X[:, 0] + X[:, 2])
    >>> picture = draw_tree(model, 0, feature_names=["age", "height", "income"])
    >>> picture.svg[:4]
    '<svg'
    """
    tree_model = TreeModel.of(model)
    forest = tree_model.forest
    if not -forest.n_trees <= index < forest.n_trees:
        raise IndexError(f"index: got tree {index}, expected one of the {forest.n_trees} trees of the model")
    if feature_names is not None and len(feature_names) != forest.n_features:
        raise ValueError(f"feature_names: got {len(feature_names)} names, expected {forest.n_features}")
    if max_depth is not None and max_depth < 0:
        raise ValueError(f"max_depth: got {max_depth}, expected at least 0")
    names = feature_names or tree_model.feature_names or [f"Feature {j}" for j in range(forest.n_features)]
    index %= forest.n_trees
    return TreePicture(
        _Drawing(forest, index, names, category_names or tree_model.category_names, max_depth).svg(
            _title(tree_model, index)
        )
    )


def _title(model, index):
    forest = model.forest
    if forest.n_outputs == 1 or np.ndim(forest.trees["value"]) == 2:
        return f"Tree {index} of {forest.n_trees}"
    output = index % forest.n_outputs
    name = model.output_names[output] if model.output_names else str(output)
    return f"Tree {index} of {forest.n_trees}: adds to output {name}"


class _Drawing:
    """Places and writes the nodes of one tree; leaves get a row each, in the order of the walk."""

    def __init__(self, forest, index, names, category_names, max_depth):
        begin, end = forest.trees["offsets"][index : index + 2]
        node_arrays = ("feature", "threshold", "left", "right", "missing_left", "value", "gain", "count", "cover")
        arrays = {name: forest.trees[name][begin:end] for name in node_arrays if name in forest.trees}
        self.rule = forest.trees["rule"][begin:end] if "rule" in forest.trees else np.zeros(end - begin, dtype=np.uint8)
        self.category_set = forest.trees["category_set"][begin:end] if "category_set" in forest.trees else None
        self.trees, self.arrays, self.names, self.category_names = forest.trees, arrays, names, category_names
        self.depth = self._depths()
        self.last = int(self.depth.max()) if max_depth is None else min(int(max_depth), int(self.depth.max()))
        self.row = np.full(end - begin, np.nan)
        self.n_rows = self._place_rows()

    def _children(self, node):
        return int(self.arrays["left"][node]), int(self.arrays["right"][node])

    def _is_end(self, node):
        return self.arrays["feature"][node] < 0 or self.depth[node] == self.last

    def _depths(self):
        depth = np.zeros(len(self.arrays["feature"]), dtype=np.int64)
        for node in np.flatnonzero(self.arrays["feature"] >= 0):
            depth[list(self._children(node))] = depth[node] + 1
        return depth

    def _place_rows(self):
        """Rows of the drawn ends, top to bottom; every other node in the middle of its children."""
        taken, stack = 0, [0]
        while stack:
            node = stack.pop()
            if self._is_end(node):
                self.row[node], taken = taken, taken + 1
            else:
                stack.extend(reversed(self._children(node)))
        for node in range(len(self.row) - 1, -1, -1):
            if np.isnan(self.row[node]) and self.depth[node] < self.last:
                self.row[node] = np.mean(self.row[list(self._children(node))])
        return taken

    def _at(self, node):
        return (
            _MARGIN + float(self.depth[node]) * (_BOX_WIDTH + _GAP_X),
            _TITLE + _MARGIN + float(self.row[node]) * _ROW,
        )

    def svg(self, title):
        width = 2 * _MARGIN + (self.last + 1) * _BOX_WIDTH + self.last * _GAP_X
        height = _TITLE + 2 * _MARGIN + self.n_rows * _ROW
        drawn = np.flatnonzero(~np.isnan(self.row))
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img"><title>{escape(title)}</title><style>{_STYLE}</style>',
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            f'<text class="t" x="{_MARGIN}" y="{_TITLE - 6}">{escape(title)}</text>',
        ]
        parts += [self._edges(node) for node in drawn if not self._is_end(node)]
        parts += [self._box(node) for node in drawn]
        return "\n".join([*parts, "</svg>"])

    def _edges(self, node):
        x, y = self._at(node)
        x, y = x + _BOX_WIDTH, y + _BOX_HEIGHT / 2
        lines = []
        for child, word, is_left in zip(self._children(node), ("yes", "no"), (True, False), strict=True):
            to_x, to_y = self._at(child)
            to_y += _BOX_HEIGHT / 2
            middle = (x + to_x) / 2
            missing = bool(self.arrays["missing_left"][node]) == is_left
            label = f"{word}, NaN" if missing else word
            lines.append(
                f'<path class="e" d="M{x:.1f} {y:.1f}C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} '
                f'{to_y:.1f}"/><text class="s" text-anchor="end" x="{to_x - 4:.1f}" '
                f'y="{to_y + (-4 if is_left else 12):.1f}">{label}</text>'
            )
        return "\n".join(lines)

    def _box(self, node):
        x, y = self._at(node)
        if self.arrays["feature"][node] < 0:
            first = short = self._value(node)
            second = self._size(node)
            kind = "u" if np.sum(self.arrays["value"][node]) >= 0 else "d"
        elif self.depth[node] == self.last:
            first = short = f"{self._n_leaves(node):,} leaves below"
            second, kind = self._size(node), "m"
        else:
            name = str(self.names[self.arrays["feature"][node]])
            first, short = self._question(node, name, 17), self._question(node, _short(name, _NAME_WIDTH), 5)
            second, kind = f"{self._size(node)}   gain {self.arrays['gain'][node]:.4g}", "n"
        text = "\n".join(
            f'<text class="{name}" x="{x + 8:.1f}" y="{y + dy:.1f}" xml:space="preserve">{escape(_short(line))}</text>'
            for name, dy, line in (("b", 16, short), ("s", 31, second))
        )
        return (
            f'<g><title>{escape(first)}\n{escape(second)}</title><rect class="{kind}" x="{x:.1f}" y="{y:.1f}" '
            f'width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="6"/>\n{text}</g>'
        )

    def _size(self, node):
        size = f"n {int(self.arrays['count'][node]):,}"
        if "cover" in self.arrays and self.arrays["cover"][node] != self.arrays["count"][node]:
            size += f"   weight {self.arrays['cover'][node]:.4g}"
        return size

    def _value(self, node):
        values = np.atleast_1d(self.arrays["value"][node])
        return ", ".join(f"{v:+.4g}" for v in values)

    def _n_leaves(self, node):
        stack, n = [node], 0
        while stack:
            here = stack.pop()
            if self.arrays["feature"][here] < 0:
                n += 1
            else:
                stack.extend(self._children(here))
        return n

    def _question(self, node, name, digits):
        if self.rule[node] != 2:
            threshold = self.arrays["threshold"][node]
            return f"{name} is not missing" if np.isposinf(threshold) else f"{name} \u2264 {threshold:.{digits}g}"
        begin, end = self.trees["set_offsets"][self.category_set[node] :][:2]
        codes = np.flatnonzero(np.unpackbits(self.trees["set_words"][begin:end].view(np.uint8), bitorder="little"))
        known = self.category_names.get(int(self.arrays["feature"][node]), ())
        labels = [_label(known[code]) if code < len(known) else str(code) for code in codes]
        return f"{name} in {{{', '.join(labels)}}}"


def _label(category):
    """Text as it is; of numbers 3, not 3.0."""
    return category if isinstance(category, str) else f"{category:.12g}"


def _width(letter):
    """Pixels of a bold letter, at most, in the fonts that browsers choose."""
    if ord(letter) >= 0x1100:
        return 13
    return 12 if letter in "mwMW@%&" else 9.5 if letter.isupper() else 5.5 if letter in " iljt.,:;|!'()[]-" else 8.3


def _short(text, width=_TEXT_WIDTH):
    """As much of the text as fits; nodes show all of it under the pointer."""
    if sum(map(_width, text)) <= width:
        return text
    kept, used = 0, 12.0
    while used + _width(text[kept]) <= width:
        used += _width(text[kept])
        kept += 1
    return text[:kept] + "\u2026"
