/**
 * Compares engines with each other and with the device's limits. Everything that is compared is measured in the same
 * run, under the same conditions.
 */
package io.github.cellfuse.bench;
