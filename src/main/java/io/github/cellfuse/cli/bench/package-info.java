/** {@code cellfuse bench}: its options, table, JSON and page. */
package io.github.cellfuse.cli.bench;
