/**
 * What all file formats share: arrays in mapped files, element types, zip archives, files that appear only when they
 * are complete, and error messages.
 */
package io.github.cellfuse.format.file;
