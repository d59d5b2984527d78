package io.github.cellfuse.spark;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Reads the numbers of one row from a column's value. A value is a number, an array of numbers, an array of such arrays
 * (of any depth), or a vector. Spark hands arrays over as a Scala sequence if they come from a table, and as whatever
 * object a function returned if they come from a function that runs just before.
 */
final class ColumnValues {
    /** The deepest nesting: tensors of ONNX graphs rarely have more dimensions. */
    private static final int DEEPEST = 8;

    /** The sizes of the levels, outermost first; -1 until one is known. */
    private final int[] sizes = new int[DEEPEST];

    private int levels;
    private final Kind kind;
    private float[] floats = new float[0];
    private long[] longs = new long[0];
    private int count;

    private enum Kind {
        FLOAT,
        DOUBLE,
        LONG
    }

    private ColumnValues(Kind kind, int capacity) {
        this.kind = kind;
        grow(capacity);
        Arrays.fill(sizes, -1);
    }

    private void grow(int capacity) {
        if (kind == Kind.FLOAT) {
            floats = Arrays.copyOf(floats, capacity);
        } else {
            longs = Arrays.copyOf(longs, capacity);
        }
    }

    /**
     * Numbers in C order.
     *
     * @param floats the numbers, or null if they are {@code longs}
     * @param longs the numbers, or the bits of doubles
     * @param sizes the lengths of the nested arrays, outermost first; none of a plain number
     */
    record Numbers(float[] floats, long[] longs, int... sizes) {}

    /** Returns the numbers as floats; a double is rounded to the nearest float. */
    static Numbers floats(Object value) throws BadRow {
        if (value instanceof float[] array) {
            return new Numbers(array, null, array.length);
        }
        if (value instanceof double[] array) {
            return narrowed(array);
        }
        if (value instanceof Vector vector) {
            return narrowed(vector.toArray());
        }
        return read(value, Kind.FLOAT);
    }

    /** Returns the numbers as longs; true is 1. */
    static Numbers longs(Object value) throws BadRow {
        return read(value, Kind.LONG);
    }

    /** Returns the bits of the numbers as doubles. */
    static Numbers doubles(Object value) throws BadRow {
        return read(value instanceof Vector vector ? vector.toArray() : value, Kind.DOUBLE);
    }

    private static Numbers narrowed(double... array) {
        float[] floats = new float[array.length];
        for (int k = 0; k < floats.length; k++) {
            floats[k] = (float) array[k];
        }
        return new Numbers(floats, null, floats.length);
    }

    private static Numbers read(Object value, Kind kind) throws BadRow {
        ColumnValues all = new ColumnValues(kind, Math.max(1, sizeOf(value)));
        all.add(value, 0);
        boolean areFloats = kind == Kind.FLOAT;
        return new Numbers(
                areFloats ? Arrays.copyOf(all.floats, all.count) : null,
                areFloats ? null : Arrays.copyOf(all.longs, all.count),
                Arrays.copyOf(all.sizes, all.levels));
    }

    private static int sizeOf(Object value) {
        if (value instanceof Object[] array) {
            return array.length;
        }
        return value instanceof scala.collection.Seq<?> sequence ? sequence.size() : 1;
    }

    private void add(Object value, int level) throws BadRow {
        if (value == null) {
            throw new BadRow(level == 0 ? "found null" : "found null among the values, after " + count + " of them");
        }
        if (value instanceof Number number) {
            checkLevel(level);
            addNumber(number);
        } else if (value instanceof Boolean bool) {
            checkLevel(level);
            addNumber(bool ? 1 : 0);
        } else if (value instanceof float[] array) {
            begin(level, array.length);
            checkLevel(level + 1);
            for (float number : array) {
                addNumber(number);
            }
        } else if (value instanceof double[] array) {
            begin(level, array.length);
            checkLevel(level + 1);
            for (double number : array) {
                addNumber(number);
            }
        } else if (value instanceof int[] array) {
            addAll(Arrays.stream(array).iterator(), array.length, level);
        } else if (value instanceof long[] array) {
            addAll(Arrays.stream(array).iterator(), array.length, level);
        } else if (value instanceof Object[] array) {
            addAll(Arrays.asList(array).iterator(), array.length, level);
        } else if (value instanceof List<?> list) {
            addAll(list.iterator(), list.size(), level);
        } else if (value instanceof scala.collection.Seq<?> sequence) {
            addAll(CollectionConverters.asJava(sequence.iterator()), sequence.size(), level);
        } else {
            throw new BadRow("expected numbers, found a " + value.getClass().getName());
        }
    }

    private void addAll(Iterator<?> elements, int size, int level) throws BadRow {
        begin(level, size);
        while (elements.hasNext()) {
            add(elements.next(), level + 1);
        }
    }

    private void begin(int level, int size) throws BadRow {
        if (level == DEEPEST) {
            throw new BadRow("expected at most " + DEEPEST + " levels of arrays, found more");
        }
        if (sizes[level] >= 0 && sizes[level] != size) {
            throw new BadRow("expected arrays of one length, as the first one has " + sizes[level]
                    + (sizes[level] == 1 ? " value" : " values") + ", found one of " + size);
        }
        sizes[level] = size;
        levels = Math.max(levels, level + 1);
    }

    /** A level of numbers is the last one. */
    private void checkLevel(int level) throws BadRow {
        if (level < levels) {
            throw new BadRow("expected arrays of one depth, found a number beside an array");
        }
    }

    private void addNumber(Number number) {
        if (count == (kind == Kind.FLOAT ? floats.length : longs.length)) {
            grow(2 * count);
        }
        switch (kind) {
            case FLOAT -> floats[count] = number.floatValue();
            case DOUBLE -> longs[count] = Double.doubleToRawLongBits(number.doubleValue());
            case LONG -> longs[count] = number.longValue();
        }
        count++;
    }

    /** Returns the type of the numbers in nested arrays, or the type itself. */
    static DataType innermost(DataType type) {
        return type instanceof ArrayType array ? innermost(array.elementType()) : type;
    }
}
