package io.github.cellfuse.spark;

import java.util.Arrays;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import scala.Tuple2;
import scala.Tuple4;

/** The rows that functions on partitions see. */
final class RowShapes {
    private RowShapes() {}

    /**
     * Whole rows of a table. Their arrays are boxed numbers.
     *
     * @param columns the columns that the model reads
     * @param results the number of result columns
     * @param hasError whether a column says why a row is bad
     */
    record Whole(int[] columns, int results, boolean hasError) implements BatchIterator.Shape<Row, Row> {
        @Override
        public Object[] values(Row row) {
            return Arrays.stream(columns).mapToObj(row::get).toArray();
        }

        @Override
        public Row with(Row row, Object[] found, String error) {
            int size = row.size();
            Object[] all = new Object[size + results + (hasError ? 1 : 0)];
            for (int k = 0; k < size; k++) {
                all[k] = row.get(k);
            }
            if (found != null) {
                System.arraycopy(found, 0, all, size, results);
            }
            if (hasError) {
                all[size + results] = error;
            }
            return RowFactory.create(all);
        }
    }

    /**
     * Rows whose sequence is apart from the other columns, as an array of floats that aren't boxed.
     *
     * @param column the name of the column with the sequence
     * @param others the other columns that the model reads, among those of the row
     */
    record Apart(String column, int... others)
            implements BatchIterator.Shape<Tuple2<Row, float[]>, Tuple4<Row, float[], float[], String>> {
        @Override
        public Object[] values(Tuple2<Row, float[]> row) {
            Object[] values = new Object[1 + others.length];
            values[0] = row._2();
            for (int k = 0; k < others.length; k++) {
                values[k + 1] = row._1().get(others[k]);
            }
            return values;
        }

        @Override
        public Tuple4<Row, float[], float[], String> with(Tuple2<Row, float[]> row, Object[] found, String error) {
            return new Tuple4<>(row._1(), row._2(), found == null ? null : (float[]) found[0], error);
        }

        @Override
        public boolean isNullRefused(RuntimeException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                String message = String.valueOf(cause.getMessage());
                if (message.contains("NOT_NULL_ASSERT_VIOLATION")
                        || message.contains("Null value appeared in non-nullable field")) {
                    return true;
                }
            }
            return false;
        }

        @Override
        public String nullRefused() {
            return "column '" + column + "': found null among the values";
        }
    }

    /** Sequences alone. */
    record Plain() implements BatchIterator.Shape<float[], float[]> {
        @Override
        public Object[] values(float[] row) {
            return new Object[] {row};
        }

        @Override
        public float[] with(float[] row, Object[] found, String error) {
            if (found == null) {
                return null;
            }
            if (found[0] instanceof float[][] steps) {
                float[] all = new float[steps.length * steps[0].length];
                for (int step = 0; step < steps.length; step++) {
                    System.arraycopy(steps[step], 0, all, step * steps[step].length, steps[step].length);
                }
                return all;
            }
            return (float[]) found[0];
        }
    }
}
