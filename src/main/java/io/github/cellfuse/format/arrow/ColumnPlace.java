package io.github.cellfuse.format.arrow;

import org.apache.arrow.flatbuf.Field;
import org.apache.arrow.flatbuf.MetadataVersion;
import org.apache.arrow.flatbuf.Schema;
import org.apache.arrow.flatbuf.Type;
import org.apache.arrow.flatbuf.Union;
import org.apache.arrow.flatbuf.UnionMode;

/**
 * Where a column's parts stand in a record batch, whose fields and buffers form two flat lists: all columns one after
 * another, each followed by its children. The number of buffers of each type is fixed by Arrow's columnar format,
 * except for views of text, whose number each batch states.
 */
final class ColumnPlace {
    /** Deeper nesting is damage. */
    private static final int DEEPEST = 64;

    /** More fields are damage: fields that share children could be counted for ever. */
    private static final int MOST_FIELDS = 1 << 20;

    private final short version;
    private int node;
    private int buffer;
    private int views;

    private ColumnPlace(short version) {
        this.version = version;
    }

    /** Returns the place of a column in every batch of a file. */
    static ColumnPlace of(Schema schema, int column, short version) {
        ColumnPlace place = new ColumnPlace(version);
        for (int k = 0; k < column; k++) {
            place.pass(schema.fields(k), 0);
        }
        return place;
    }

    /** Returns the index of the column's own node; those of its children follow. */
    int node() {
        return node;
    }

    /** Returns the index of the column's first buffer, but for the further buffers of views. */
    int buffer() {
        return buffer;
    }

    /** Returns the number of fields of views before the column. */
    int views() {
        return views;
    }

    private void pass(Field field, int depth) {
        node++;
        if (depth > DEEPEST || node > MOST_FIELDS) {
            throw new IllegalArgumentException("nested too deep");
        }
        if (field.dictionary() != null) {
            buffer += 2; // indices; the values are elsewhere
            return;
        }
        buffer += buffers(field);
        for (int k = 0; k < field.childrenLength(); k++) {
            pass(field.children(k), depth + 1);
        }
    }

    private int buffers(Field field) {
        switch (field.typeType()) {
            case Type.Null, Type.RunEndEncoded:
                return 0;
            case Type.FixedSizeList, Type.Struct_:
                return 1;
            case Type.Int, Type.FloatingPoint, Type.Bool, Type.Decimal, Type.Date, Type.Time, Type.Timestamp:
            case Type.Interval, Type.Duration, Type.FixedSizeBinary, Type.List, Type.LargeList, Type.Map:
                return 2;
            case Type.Binary, Type.Utf8, Type.LargeBinary, Type.LargeUtf8, Type.ListView, Type.LargeListView:
                return 3;
            case Type.BinaryView, Type.Utf8View:
                views++;
                return 2;
            case Type.Union:
                boolean isDense = ((Union) field.type(new Union())).mode() == UnionMode.Dense;
                // Unions had a validity of their own before version 5.
                return (isDense ? 2 : 1) + (version < MetadataVersion.V5 ? 1 : 0);
            default:
                throw new IllegalArgumentException("unknown type " + field.typeType());
        }
    }
}
