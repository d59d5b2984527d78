/**
 * For authors of engines on other kinds of devices: the provider that {@link java.util.ServiceLoader} finds, and
 * helpers for rows of different lengths, streams, sizes and 16-bit weights. Users of engines need none of them.
 */
package io.github.cellfuse.spi;
