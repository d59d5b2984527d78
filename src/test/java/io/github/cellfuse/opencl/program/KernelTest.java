package io.github.cellfuse.opencl.program;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClProgram;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.opencl.program.KernelArguments.Builder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Arguments by name: what arrives in the kernel, and what is refused. */
class KernelTest {
    private static final String SOURCE = """
            __kernel void store(__global int* out, int a, int b, float c) {
              out[0] = a;
              out[1] = b;
              out[2] = as_int(c);
            }
            """;
    private static final String LISTS = "; parameters: out, a, b, c";

    private static ClContext context;
    private static ClProgram program;

    @BeforeAll
    static void compile() {
        context = TestDevices.first().open();
        program = context.program("store", List.of(SOURCE), "");
    }

    @AfterAll
    static void close() {
        context.close();
    }

    private static Kernel kernel() {
        return Kernel.open(program, new Signatures(List.of(SOURCE), ""), "store");
    }

    @Test
    void argumentsArriveUnderTheirNames() {
        try (Kernel kernel = kernel();
                ClQueue queue = context.queue();
                ClBuffer out = context.buffer("out", 12, ClBuffer.Access.READ_WRITE)) {
            kernel.set("c", 1.5f).set("b", 2).set("out", out).set("a", 1);
            assertArrayEquals(new int[] {1, 2, Float.floatToRawIntBits(1.5f)}, run(queue, kernel, out));
            kernel.argument("b").set(-7);
            assertArrayEquals(new int[] {1, -7, Float.floatToRawIntBits(1.5f)}, run(queue, kernel, out));
        }
    }

    @Test
    void aListBindsEachBatch() {
        record Batch(ClBuffer out, int rows) {}
        try (Kernel kernel = kernel();
                ClQueue queue = context.queue();
                ClBuffer first = context.buffer("first", 12, ClBuffer.Access.READ_WRITE);
                ClBuffer second = context.buffer("second", 12, ClBuffer.Access.READ_WRITE)) {
            KernelArguments<Batch> arguments = new Builder<Batch>()
                    .perLaunch("c")
                    .integer("b", Batch::rows)
                    .constant("a", 5)
                    .buffer("out", Batch::out)
                    .of(kernel);
            arguments.bind(new Batch(first, 3));
            assertMessage(
                    "kernel 'store': 'c' is not bound; bound: out, a, b" + LISTS,
                    () -> queue.launch(kernel.ready(), NdRange.of(1)));
            kernel.set("c", 0.0f);
            assertArrayEquals(new int[] {5, 3, 0}, run(queue, kernel, first));
            arguments.bind(new Batch(second, 4));
            assertArrayEquals(new int[] {5, 4, 0}, run(queue, kernel, second));
        }
    }

    private static int[] run(ClQueue queue, Kernel kernel, ClBuffer out) {
        queue.launch(kernel.ready(), NdRange.of(1));
        ByteBuffer bytes = ByteBuffer.allocateDirect(12).order(ByteOrder.nativeOrder());
        queue.read(out, 0, bytes);
        return new int[] {bytes.getInt(0), bytes.getInt(4), bytes.getInt(8)};
    }

    @Test
    void aWrongNameIsRefusedWithBothLists() {
        try (Kernel kernel = kernel()) {
            assertMessage("kernel 'store' has no parameter 'd'" + LISTS, () -> kernel.set("d", 1));
            assertMessage("kernel 'store' has no parameter 'd'" + LISTS, () -> kernel.set("d", 1.0f));
            assertMessage("kernel 'store' has no parameter 'd'" + LISTS, () -> kernel.argument("d"));
            assertMessage(
                    "kernel 'store': no parameter 'd', 'c' is not bound; bound: out, a, b, d" + LISTS,
                    () -> new Builder<>().perLaunch("out", "a", "b", "d").of(kernel));
            assertMessage(
                    "kernel 'store': no parameter 'd'; bound: out, a, b, c, d" + LISTS,
                    () -> new Builder<>().perLaunch("out", "a", "b", "c", "d").of(kernel));
        }
    }

    @Test
    void aMissingNameIsRefusedWithBothLists() {
        try (Kernel kernel = kernel()) {
            assertMessage(
                    "kernel 'store': 'a' is not bound, 'c' is not bound; bound: out, b" + LISTS,
                    () -> new Builder<>().perLaunch("out", "b").of(kernel));
        }
    }

    @Test
    void aNameThatIsThereTwiceIsRefusedWithBothLists() {
        try (Kernel kernel = kernel()) {
            assertMessage(
                    "kernel 'store': 'a' is bound twice; bound: out, a, a, b, c" + LISTS,
                    () -> new Builder<>().perLaunch("out", "a", "a", "b", "c").of(kernel));
            assertMessage(
                    "kernel 'store': 'a' is bound twice, 'b' is not bound; bound: out, a, a, c" + LISTS,
                    () -> new Builder<>().perLaunch("out", "a", "a", "c").of(kernel));
        }
    }

    /** The driver defines macros that the host doesn't know. */
    @Test
    void aSignatureThatTheDriverCompiledOtherwiseIsRefused() {
        Signatures other = new Signatures(List.of("__kernel void store(__global int* out, int a) {}"), "");
        assertMessage(
                "kernel 'store': its signature has 2 parameters, but the driver compiled 4; parameters: out, a",
                () -> Kernel.open(program, other, "store"));
    }

    private static void assertMessage(String expected, Executable action) {
        assertEquals(expected, assertThrows(CellFuseException.class, action).getMessage());
    }
}
