/** {@code cellfuse info}. */
package io.github.cellfuse.cli.info;
