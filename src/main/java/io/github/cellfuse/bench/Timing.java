package io.github.cellfuse.bench;

/**
 * The time that a measurement found.
 *
 * @param seconds the median over the rounds
 * @param ofRoofline the median over the rounds of the share of the roofline measured in the same round; NaN without a
 *     roofline
 * @param rounds the number of rounds
 */
public record Timing(double seconds, double ofRoofline, int rounds) {}
