/** {@code cellfuse verify}. */
package io.github.cellfuse.cli.verify;
