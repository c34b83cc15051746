"""Long calls into other libraries, during which Ctrl-C is heard."""

from contextvars import copy_context
from queue import SimpleQueue
from threading import Thread, current_thread, main_thread


def interruptible(call, *args, **options):
    """What `call` returns; the main thread has another one call it, waits, and hears Ctrl-C meanwhile.

    The call sees the context variables of the caller, such as ``numpy.errstate``.

    For calls that release the GIL and cannot be told to stop, such as LAPACK's. After Ctrl-C the call goes on in the
    background and its result is dropped: what it writes to must be nobody else's. The process ends after it: BLAS waits
    for ever where it is shut down in the midst of a product.

    Raises
    ------
    Exception
        What `call` raises.
    """
    if current_thread() is not main_thread():  # signals reach the main thread only
        return call(*args, **options)
    answers, context = SimpleQueue(), copy_context()

    def answer():
        try:
            answers.put((context.run(call, *args, **options), None))
        except BaseException as error:  # goes to the main thread
            answers.put((None, error))

    Thread(target=answer).start()
    result, error = answers.get()
    if error is not None:
        raise error
    return result
