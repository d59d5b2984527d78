/** {@code cellfuse tune}. */
package io.github.cellfuse.cli.tune;
