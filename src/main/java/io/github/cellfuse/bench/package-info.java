/**
 * Measures engines against each other and against the device's own limit, in one run, so that what is compared was taken under the
 * same conditions.
 */
package io.github.cellfuse.bench;
