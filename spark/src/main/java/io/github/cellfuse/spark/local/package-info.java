/**
 * A standalone cluster of Spark on this machine, for the tests and {@code bin/spark-local}. It isn't packed into the
 * jar for clusters.
 */
package io.github.cellfuse.spark.local;
