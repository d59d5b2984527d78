package io.github.cellfuse.bench.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.bench.audit.PtxStatement.Operation;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IntegerMathTest {
    private static long apply(String name, long a, long b, long c) {
        return IntegerMath.apply(new Operation("", name, List.of("%r1", "%r2", "%r3", "%r4")), a, b, c);
    }

    /** What the PTX ISA says about each operation, for values at the edges of its type. */
    @ParameterizedTest
    @CsvSource({
        "add.s32,       2147483647, 1,  0, -2147483648, s32",
        "add.s32,       -1,         1,  0, 0,           u32",
        "mul.lo.s32,    65536,      65537, 0, 65536,    s32",
        "mul.wide.s32,  -3,         4,  0, -12,         s64",
        "mul.wide.u32,  4294967293, 4,  0, 17179869172, u64",
        "mul.hi.u16,    65535,      683, 0, 682,        u16",
        "mul.hi.s16,    -32768,     3,  0, -2,          s16",
        "mul.hi.u32,    4294967295, 4294967295, 0, 4294967294, u32",
        "mul.hi.s32,    -2147483648, 3, 0, -2,          s32",
        "mad.lo.s32,    3,          4,  5, 17,          s32",
        "div.s32,       -7,         2,  0, -3,          s32",
        "div.u32,       4294967289, 2,  0, 2147483644,  u32",
        "rem.s32,       -7,         2,  0, -1,          s32",
        "min.s32,       -1,         1,  0, -1,          s32",
        "min.u32,       4294967295, 1,  0, 1,           u32",
        "max.s32,       -1,         1,  0, 1,           s32",
        "min.u64,       -1,         1,  0, 1,           u64",
        "shl.b32,       1,          31, 0, -2147483648, s32",
        "shl.b64,       1,          64, 0, 0,           s64",
        "shr.s32,       -8,         1,  0, -4,          s32",
        "shr.s32,       -8,         40, 0, -1,          s32",
        "shr.u32,       4294967288, 1,  0, 2147483644,  u32",
        "shr.u64,       -1,         63, 0, 1,           u64",
        "bfe.u32,       172,        2,  3, 3,           u32",
        "not.pred,      1,          0,  0, 0,           pred",
        "cvt.u32.u64,   4294967297, 0,  0, 1,           u32",
        "cvt.s64.s32,   -5,         0,  0, -5,          s64",
        "setp.lt.s32,   -1,         1,  0, 1,           pred",
        "setp.lt.u32,   4294967295, 1,  0, 0,           pred",
        "setp.ge.u64,   -1,         1,  0, 1,           pred",
        "setp.gt.s32,   1,          1,  0, 0,           pred",
        "setp.ltu.f32,  0,          0,  0, 0,           pred",
        "xor.b32,       6,          3,  0, 5,           s32"
    })
    void computes(String name, long a, long b, long c, long expected, String type) {
        assertEquals(expected, IntegerMath.as(type, apply(name, a, b, c)));
    }

    @Test
    void refusesWhatItDoesNotKnow() {
        AuditException operation = assertThrows(AuditException.class, () -> apply("prmt.b32", 0, 0, 0));
        assertTrue(operation.getMessage().contains("prmt.b32"), operation.getMessage());
        assertThrows(AuditException.class, () -> apply("mul.hi.u64", 0, 0, 0));
        assertThrows(AuditException.class, () -> apply("setp.xx.u32", 0, 0, 0));
        assertThrows(AuditException.class, () -> IntegerMath.as("b128", 0));
    }
}
