/** {@code cellfuse convert}. */
package io.github.cellfuse.cli.convert;
