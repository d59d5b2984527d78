/**
 * What an engine on another kind of device is built from: the provider that a {@link java.util.ServiceLoader} finds, and helpers
 * for rows of different lengths, sizes and weights in 16 bits. Callers of engines need none of it.
 */
package io.github.cellfuse.spi;
