// One law of counts at one k: what of its log probability does not depend on the mean, and the place of a mean.
#pragma once

namespace mlwright::sampler {

// log Gamma(x + 1) less Stirling's (x + 1/2) log x - x + log(2 pi) / 2; x above 0, infinite too. Within 1e-14.
double stirling_error(double x) noexcept;

// The log probability of k where the mean is k, of dispersion phi; 0 of k = 0.
double log_probability_at_mean(double k, double phi) noexcept;

// asinh(sqrt(phi m)) / sqrt(phi), sqrt(m) where phi is 0; and its inverse.
double place_of_mean(double m, double phi) noexcept;
double mean_at_place(double s, double phi) noexcept;

}  // namespace mlwright::sampler
