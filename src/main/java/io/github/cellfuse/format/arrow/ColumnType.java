package io.github.cellfuse.format.arrow;

import io.github.cellfuse.format.file.ElementType;
import java.util.Optional;
import org.apache.arrow.flatbuf.Field;
import org.apache.arrow.flatbuf.FixedSizeList;
import org.apache.arrow.flatbuf.FloatingPoint;
import org.apache.arrow.flatbuf.Int;
import org.apache.arrow.flatbuf.Precision;
import org.apache.arrow.flatbuf.Type;

/**
 * The type of a column of sequences: a list of numbers, or of lists of numbers.
 *
 * @param outer how the list of a row is stored
 * @param outerSize its length if it is fixed
 * @param inner how the lists of its steps are stored; {@code NONE} if the row is a list of numbers
 * @param innerSize their length if it is fixed
 * @param element the numbers
 */
record ColumnType(Lists outer, int outerSize, Lists inner, int innerSize, ElementType element) {

    /** How lists are stored. */
    enum Lists {
        NONE(0),
        /** One after another, all of one length. */
        FIXED(0),
        /** By offsets of 32 bits. */
        LIST(Integer.BYTES),
        /** By offsets of 64 bits. */
        LARGE_LIST(Long.BYTES);

        private final int offsetBytes;

        Lists(int offsetBytes) {
            this.offsetBytes = offsetBytes;
        }

        /** Returns the size of an offset, or 0 if there are none. */
        int offsetBytes() {
            return offsetBytes;
        }

        private static Lists of(Field field) {
            if (field.dictionary() != null) {
                return NONE;
            }
            return switch (field.typeType()) {
                case Type.FixedSizeList -> FIXED;
                case Type.List -> LIST;
                case Type.LargeList -> LARGE_LIST;
                default -> NONE;
            };
        }
    }

    /** Returns the type of a column, or nothing if it isn't one of sequences. */
    static Optional<ColumnType> of(Field field) {
        Lists outer = Lists.of(field);
        if (outer == Lists.NONE) {
            return Optional.empty();
        }
        Field step = field.children(0);
        Lists inner = Lists.of(step);
        if (outer == Lists.FIXED && inner.offsetBytes() > 0) {
            return Optional.empty(); // T is fixed, but not what a step is
        }
        return element(inner == Lists.NONE ? step : step.children(0))
                .map(type -> new ColumnType(outer, fixedSize(field, outer), inner, fixedSize(step, inner), type));
    }

    private static int fixedSize(Field field, Lists lists) {
        return lists == Lists.FIXED ? ((FixedSizeList) field.type(new FixedSizeList())).listSize() : 0;
    }

    private static Optional<ElementType> element(Field field) {
        if (field.dictionary() != null) {
            return Optional.empty();
        }
        return switch (field.typeType()) {
            case Type.FloatingPoint ->
                Optional.of(
                        switch (((FloatingPoint) field.type(new FloatingPoint())).precision()) {
                            case Precision.HALF -> ElementType.FLOAT16;
                            case Precision.SINGLE -> ElementType.FLOAT32;
                            case Precision.DOUBLE -> ElementType.FLOAT64;
                            default -> throw new IllegalArgumentException("unknown precision");
                        });
            case Type.Int -> Optional.of(integer((Int) field.type(new Int())));
            default -> Optional.empty();
        };
    }

    private static ElementType integer(Int type) {
        return switch (type.bitWidth()) {
            case 8 -> type.isSigned() ? ElementType.INT8 : ElementType.UINT8;
            case 16 -> type.isSigned() ? ElementType.INT16 : ElementType.UINT16;
            case 32 -> type.isSigned() ? ElementType.INT32 : ElementType.UINT32;
            case 64 -> type.isSigned() ? ElementType.INT64 : ElementType.UINT64;
            default -> throw new IllegalArgumentException("unknown width");
        };
    }

    /** Returns whether each row has a length of its own. */
    boolean isRagged() {
        return outer != Lists.FIXED;
    }

    /** Returns a column's type as messages show it, such as {@code List<Utf8>}. */
    static String describe(Field field) {
        String name = field.dictionary() != null ? "Dictionary" : Type.name(field.typeType());
        return Lists.of(field) == Lists.NONE ? name : name + "<" + describe(field.children(0)) + ">";
    }
}
