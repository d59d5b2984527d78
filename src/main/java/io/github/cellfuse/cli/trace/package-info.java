/** {@code cellfuse trace}: the gates and states inside the cells, as a page and as JSON. */
package io.github.cellfuse.cli.trace;
