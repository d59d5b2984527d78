/** {@code cellfuse run} on a bare LSTM. */
package io.github.cellfuse.cli.run;
