package io.github.cellfuse.bench.audit;

import io.github.cellfuse.bench.audit.PtxStatement.Operation;

/** What PTX's operations on integers compute. */
final class IntegerMath {
    private IntegerMath() {}

    /** Returns the number that the low bits of {@code bits} are in {@code type}, such as {@code u32}. */
    static long as(String type, long bits) {
        return switch (type) {
            case "pred" -> bits & 1;
            case "u8" -> bits & 0xff;
            case "u16" -> bits & 0xffff;
            case "s16", "b16" -> (short) bits;
            case "u32" -> bits & 0xffff_ffffL;
            case "s32", "b32" -> (int) bits;
            case "s64", "u64", "b64" -> bits;
            case "f32" -> 0;
            default -> throw new AuditException("unknown type " + type);
        };
    }

    /**
     * Returns the result of {@code operation}.
     *
     * @param a the first input, as a number of the operation's type, and so on; 0 if there is no such input
     */
    static long apply(Operation operation, long a, long b, long c) {
        boolean unsigned = operation.type().startsWith("u");
        return switch (operation.code()) {
            case "mov", "cvta" -> a;
            case "cvt" -> as(target(operation), a);
            case "add" -> a + b;
            case "sub" -> a - b;
            case "neg" -> -a;
            case "not" -> ~a;
            case "mul" -> product(operation, a, b);
            case "mad" -> product(operation, a, b) + c;
            case "div" -> unsigned ? Long.divideUnsigned(a, b) : a / b;
            case "rem" -> unsigned ? Long.remainderUnsigned(a, b) : a % b;
            case "min" -> less(unsigned, a, b) ? a : b;
            case "max" -> less(unsigned, a, b) ? b : a;
            case "and" -> a & b;
            case "or" -> a | b;
            case "xor" -> a ^ b;
            case "shl" -> b < 64 ? a << b : 0;
            case "shr" -> unsigned ? b < 64 ? a >>> b : 0 : a >> Math.min(b, 63);
            case "bfe" -> a >>> b & (1L << c) - 1;
            case "setp" -> compares(operation.name().split("\\.")[1], unsigned, a, b) ? 1 : 0;
            default -> throw new AuditException("unknown operation " + operation);
        };
    }

    /** The type of a conversion's result: {@code u32} of {@code cvt.u32.u64}. */
    private static String target(Operation operation) {
        String[] parts = operation.name().split("\\.");
        return parts[parts.length - 2];
    }

    private static long product(Operation operation, long a, long b) {
        if (!operation.name().contains(".hi.")) {
            return a * b;
        }
        return switch (operation.type()) {
            case "u16" -> a * b >>> 16;
            case "u32" -> a * b >>> 32;
            case "s16" -> a * b >> 16;
            case "s32" -> a * b >> 32;
            default -> throw new AuditException("unknown operation " + operation);
        };
    }

    private static boolean less(boolean unsigned, long a, long b) {
        return unsigned ? Long.compareUnsigned(a, b) < 0 : a < b;
    }

    private static boolean compares(String comparison, boolean unsigned, long a, long b) {
        return switch (comparison) {
            case "eq", "equ" -> a == b;
            case "ne", "neu" -> a != b;
            case "lt", "ltu", "lo" -> less(unsigned, a, b);
            case "le", "leu", "ls" -> !less(unsigned, b, a);
            case "gt", "gtu", "hi" -> less(unsigned, b, a);
            case "ge", "geu", "hs" -> !less(unsigned, a, b);
            case "num" -> true;
            case "nan" -> false;
            default -> throw new AuditException("unknown comparison " + comparison);
        };
    }
}
