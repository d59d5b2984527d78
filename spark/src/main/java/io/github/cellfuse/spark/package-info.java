/** LSTM inference in Apache Spark: each executor computes on its own device, and every task gives the same bits. */
package io.github.cellfuse.spark;
