/** {@code cellfuse devices}. */
package io.github.cellfuse.cli.devices;
