/** The self-contained pages that commands write. */
package io.github.cellfuse.cli.page;
