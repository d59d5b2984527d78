/**
 * The command line. Imports whatever it needs; nothing imports it.
 *
 * <p>stdout carries results alone (tables, JSON, help); everything that is said about the work goes to stderr. An error is one
 * line, {@code cellfuse: error: …}; the exit code is 0 when done, 1 when something ran and failed, 2 when the input or the
 * arguments are wrong, in which case nothing was computed or written.
 */
package io.github.cellfuse.cli;
