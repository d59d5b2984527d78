package io.github.cellfuse.bench.audit;

import java.util.List;

/** A line of PTX: a label or an operation. */
sealed interface PtxStatement {
    /** The target of a branch. */
    record Label(String name) implements PtxStatement {}

    /**
     * An operation. Immutable.
     *
     * @param guard the predicate that must hold, such as {@code %p1} or {@code !%p1}; empty if there is none
     * @param name with its types, such as {@code mul.wide.s32}
     * @param operands the result first; {@code {%f1, %f2}} and {@code [%rd1+16]} are one operand each
     */
    record Operation(String guard, String name, List<String> operands) implements PtxStatement {
        /** Returns the part of the name that tells what it does, such as {@code mul}. */
        String code() {
            return name.split("\\.", 2)[0];
        }

        /** Returns the type of the inputs, such as {@code s32}. */
        String type() {
            return name.substring(name.lastIndexOf('.') + 1);
        }

        @Override
        public String toString() {
            return (guard.isEmpty() ? "" : "@" + guard + " ") + name + " " + String.join(", ", operands);
        }

        /** Returns the bytes that a load or a store moves. */
        int bytes() {
            String bits = type().replaceFirst("^[a-z]+", "");
            int lanes = name.contains(".v4.") ? 4 : name.contains(".v2.") ? 2 : 1;
            return bits.matches("\\d+") ? lanes * Integer.parseInt(bits) / 8 : 0;
        }
    }
}
