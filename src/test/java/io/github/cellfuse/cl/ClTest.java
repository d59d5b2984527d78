package io.github.cellfuse.cl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cl.ClBuffer.Access;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jocl.CL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Programs, kernels, queues, buffers, mappings and events on a real device. */
class ClTest {
    private static final String SOURCE = """
            #ifndef SCALE
            #define SCALE 1.0f /* what each index is multiplied by */
            #endif
            __kernel void write_index(__global float *out, const int n) {
                const int i = (int) get_global_id(0);
                if (i < n) out[i] = SCALE * (float) i;
            }
            __kernel void write_step(__global int *out, const int width) {
                const int column = (int) get_global_id(0);
                const int step = (int) get_global_id(1);
                out[step * width + column] = 1000 * step + column;
            }
            __kernel void scalars(__global int *out, const int i, const float f) {
                out[0] = i;
                out[1] = as_int(f);
            }
            """;

    private long liveBefore;

    @BeforeEach
    void count() {
        liveBefore = OpenCl.liveObjects();
    }

    @AfterEach
    void nothingIsLeftOpen() {
        assertEquals(liveBefore, OpenCl.liveObjects());
    }

    private static ClProgram program(ClContext context) {
        return context.program("test", List.of(SOURCE), "");
    }

    private static FloatBuffer floats(int n) {
        return ByteBuffer.allocateDirect(n * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    private static ByteBuffer bytes(int n) {
        return ByteBuffer.allocateDirect(n).order(ByteOrder.nativeOrder());
    }

    // ---- programs
    // --------------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void aFailedBuildCarriesTheLogAndTheOptions(ClDevice device) {
        try (ClContext context = device.open()) {
            ClBuildException e = assertThrows(
                    ClBuildException.class,
                    () -> context.program("broken", List.of("__kernel void f() { no_such_name = 1; }"), "-D VEC=16"));
            assertTrue(e.log().contains("no_such_name"), e.log());
            assertTrue(e.getMessage().contains("no_such_name"), e.getMessage());
            assertTrue(e.getMessage().contains("\"-D VEC=16\""), e.getMessage());
            assertTrue(e.getMessage().contains("program 'broken'"), e.getMessage());
            assertEquals("-D VEC=16", e.options());
            assertEquals("clBuildProgram", e.call());
            assertEquals(CL.CL_BUILD_PROGRAM_FAILURE, e.status());
        }
    }

    @Test
    void aLongLogIsTrimmedToItsBeginning() {
        String log = "first\n" + "next\n".repeat(99);
        String trimmed = ClBuildException.trim(log);
        assertTrue(trimmed.startsWith("first\nnext"), trimmed);
        assertTrue(trimmed.endsWith("… (60 more lines)"), trimmed);
        assertEquals("one\ntwo", ClBuildException.trim("\none\ntwo \n"));
        assertEquals("(the compiler left no log)", ClBuildException.trim(" \n"));
        assertTrue(ClBuildException.trim("x".repeat(10_000)).length() < 5_000);
    }

    @Test
    void sourcesAreCompiledAsOneTextWithTheOptions() {
        try (ClContext context = TestDevices.first().open();
                ClProgram program =
                        context.program("two parts", List.of("#define SCALE 0.5f\n", SOURCE), "-D UNUSED=1")) {
            assertEquals("-D UNUSED=1", program.options());
            ClBuffer out = context.buffer("out", 4 * 4, Access.WRITE_ONLY);
            ClQueue queue = context.queue();
            queue.launch(program.kernel("write_index").setBuffer(0, out).setInt(1, 4), NdRange.of(4));
            FloatBuffer read = floats(4);
            queue.read(out, 0, read);
            assertEquals(1.5f, read.get(3));
        }
    }

    @Test
    void anUnknownKernelIsNamed() {
        try (ClContext context = TestDevices.first().open()) {
            ClProgram program = program(context);
            ClException e = assertThrows(ClException.class, () -> program.kernel("no_such_kernel"));
            assertTrue(e.getMessage().contains("no_such_kernel"), e.getMessage());
            assertEquals(CL.CL_INVALID_KERNEL_NAME, e.status());
        }
    }

    // ---- kernels and launches
    // --------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void theGlobalOffsetCarriesTheStep(ClDevice device) {
        int steps = 5;
        int width = 8;
        try (ClContext context = device.open()) {
            ClQueue queue = context.queue();
            ClBuffer out = context.buffer("out", steps * width * 4L, Access.READ_WRITE);
            queue.fill(out, 0, out.bytes(), -1);
            ClKernel kernel =
                    program(context).kernel("write_step").setBuffer(0, out).setInt(1, width);
            NdRange range = NdRange.of(width, 1).local(4, 1);
            for (int step = 1; step < steps; step++) {
                queue.launch(kernel, range.offset(1, step));
            }
            ByteBuffer read = bytes(steps * width * 4);
            queue.read(out, 0, read);
            for (int step = 0; step < steps; step++) {
                for (int column = 0; column < width; column++) {
                    int expected = step == 0 ? -1 : 1000 * step + column;
                    assertEquals(expected, read.getInt((step * width + column) * 4));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void aGuardedTailLeavesTheCanaryAlone(ClDevice device) {
        int n = 207;
        int padded = 256;
        try (ClContext context = device.open()) {
            ClQueue queue = context.queue();
            ClBuffer out = context.buffer("out", padded * 4L, Access.READ_WRITE);
            queue.fill(out, 0, out.bytes(), Float.floatToRawIntBits(-7f));
            ClKernel kernel =
                    program(context).kernel("write_index").setBuffer(0, out).setInt(1, n);
            queue.launch(kernel, NdRange.of(padded).local(8));
            FloatBuffer read = floats(padded);
            queue.read(out, 0, read);
            for (int i = 0; i < padded; i++) {
                assertEquals(i < n ? i : -7f, read.get(i));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void scalarsArriveWithTheirBits(ClDevice device) {
        float nan = Float.intBitsToFloat(0x7fc12345);
        try (ClContext context = device.open()) {
            ClQueue queue = context.queue();
            ClBuffer out = context.buffer("out", 2 * 4, Access.WRITE_ONLY);
            ClKernel kernel = program(context).kernel("scalars");
            assertEquals(3, kernel.arguments());
            kernel.setBuffer(0, out).setInt(1, -3).setFloat(2, nan);
            queue.launch(kernel, NdRange.of(1).local(1));
            ByteBuffer read = bytes(8);
            queue.read(out, 0, read);
            assertEquals(-3, read.getInt(0));
            assertEquals(0x7fc12345, read.getInt(4));
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void theKernelTellsItsNeeds(ClDevice device) {
        try (ClContext context = device.open()) {
            ClKernel.Info info = program(context).kernel("write_index").info();
            assertTrue(info.maxWorkGroupSize() >= 1, info.toString());
            assertTrue(info.preferredWorkGroupMultiple() >= 1, info.toString());
            assertTrue(info.localMemoryBytes() >= 0 && info.privateMemoryBytes() >= 0, info.toString());
        }
    }

    @Test
    void argumentsAreChecked() {
        try (ClContext context = TestDevices.first().open();
                ClContext other = TestDevices.first().open()) {
            ClKernel kernel = program(context).kernel("write_index");
            ClBuffer foreign = other.buffer("foreign", 16, Access.READ_WRITE);
            assertThrows(InvalidInputException.class, () -> kernel.setInt(2, 1));
            assertThrows(InvalidInputException.class, () -> kernel.setInt(-1, 1));
            assertThrows(IllegalArgumentException.class, () -> kernel.setBuffer(0, foreign));
            ClException size = assertThrows(ClException.class, () -> kernel.setInt(0, 1));
            assertTrue(size.getMessage().contains("argument 0 (4 bytes) of kernel 'write_index'"), size.getMessage());
            ClQueue queue = other.queue();
            assertThrows(IllegalArgumentException.class, () -> queue.launch(kernel, NdRange.of(1)));
        }
    }

    @Test
    void aRefusedLaunchNamesTheKernelAndTheRange() {
        try (ClContext context = TestDevices.first().open()) {
            ClQueue queue = context.queue();
            ClKernel kernel = program(context).kernel("write_index");
            long tooMany = 2 * context.device().capabilities().maxWorkGroupSize();
            ClBuffer out = context.buffer("out", 16, Access.READ_WRITE);
            kernel.setBuffer(0, out).setInt(1, 4);
            ClException e = assertThrows(
                    ClException.class,
                    () -> queue.launch(kernel, NdRange.of(tooMany).local(tooMany)));
            assertTrue(e.getMessage().contains("kernel 'write_index' over global [" + tooMany + "]"), e.getMessage());
            assertEquals("clEnqueueNDRangeKernel", e.call());
        }
    }

    @Test
    void rangesRefuseWhatOpenClWould() {
        NdRange range = NdRange.of(4, 2);
        assertThrows(IllegalArgumentException.class, () -> NdRange.of(0));
        assertThrows(IllegalArgumentException.class, () -> range.global(0, 0));
        assertThrows(IllegalArgumentException.class, () -> range.offset(0, -1));
        assertThrows(IllegalArgumentException.class, () -> range.local(4));
        assertThrows(IllegalArgumentException.class, () -> range.local(4, 0));
        assertNull(range.locals());
        range.local(2, 1).global(0, 8).offset(1, 3);
        assertEquals(2, range.locals()[0]);
        assertEquals(8, range.globals()[0]);
        assertEquals(3, range.offsets()[1]);
        assertNull(range.anyLocal().locals());
        assertEquals(3, NdRange.of(1, 2, 3).dimensions());
    }

    @Test
    void launchingAllocatesNothing() {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (ClContext context = TestDevices.first().open()) {
            ClQueue queue = context.queue();
            ClBuffer out = context.buffer("out", 64, Access.READ_WRITE);
            ClKernel kernel =
                    program(context).kernel("write_index").setBuffer(0, out).setInt(1, 0);
            NdRange range = NdRange.of(1).local(1);
            int launches = 500;
            for (int i = 0; i < launches; i++) {
                queue.launch(kernel, range.offset(0, i));
            }
            queue.finish();
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < launches; i++) {
                queue.launch(kernel, range.offset(0, i));
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            queue.finish();
            assertTrue(allocated < launches, allocated + " bytes in " + launches + " launches");
        }
    }

    // ---- buffers and transfers
    // -------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void transfersGoFromPositionToLimit(ClDevice device) {
        try (ClContext context = device.open()) {
            ClQueue queue = context.queue();
            ClBuffer buffer = context.buffer("x", 8 * 4, Access.READ_WRITE);
            queue.zero(buffer);
            FloatBuffer host = floats(8);
            for (int i = 0; i < 8; i++) {
                host.put(i, i + 1);
            }
            host.position(2).limit(5);
            queue.write(buffer, 4, host);
            assertEquals(2, host.position());
            FloatBuffer all = floats(10);
            all.position(1).limit(9);
            queue.read(buffer, 0, all);
            float[] found = new float[10];
            all.clear().get(found);
            assertArrayEquals(new float[] {0, 0, 3, 4, 5, 0, 0, 0, 0, 0}, found);
        }
    }

    /** The last of many commands isn't complete when they have just been given. A fast device needs more of them. */
    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void anEventSaysWithoutWaitingWhetherItsCommandHasEnded(ClDevice device) {
        try (ClContext context = device.open()) {
            ClQueue queue = context.queue();
            ClBuffer large = context.buffer("large", 32 << 20, Access.READ_WRITE);
            boolean seen = false;
            for (int commands = 20; !seen && commands <= 20_000; commands *= 10) {
                for (int k = 0; k < commands; k++) {
                    queue.zero(large);
                }
                try (ClEvent last = queue.marker()) {
                    seen = !last.isComplete();
                    last.await();
                    assertTrue(last.isComplete());
                }
            }
            assertTrue(seen, "a device that writes 640 GB before the host looks");
        }
    }

    /** Three queues pass a buffer on: each begins when the one before has ended, and the host waits once. */
    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void transfersThatReturnAtOnceAreOrderedByEvents(ClDevice device) {
        int size = 1 << 20;
        try (ClContext context = device.open()) {
            ClQueue up = context.queue(), over = context.queue(), down = context.queue();
            ClBuffer from = context.buffer("from", size, Access.READ_WRITE);
            ClBuffer to = context.buffer("to", size, Access.READ_WRITE);
            ClBuffer pinned = context.hostBuffer("pinned", 2L * size, Access.READ_WRITE);
            ByteBuffer host = up.map(pinned, MappedBuffer.Mode.READ_WRITE).bytes();
            for (int round = 1; round <= 5; round++) {
                for (int k = 0; k < size; k++) {
                    host.put(k, (byte) (k * round));
                    host.put(size + k, (byte) 0);
                }
                try (ClEvent written = up.writeLater(from, 0, host.slice(0, size))) {
                    up.flush();
                    over.waitFor(written);
                }
                over.copy(from, 0, to, 0, size);
                try (ClEvent copied = over.marker()) {
                    over.flush();
                    down.waitFor(copied);
                }
                try (ClEvent read = down.readLater(to, 0, host.slice(size, size))) {
                    read.await();
                }
                assertEquals(-1, host.slice(0, size).mismatch(host.slice(size, size)), "round " + round);
            }
            InvalidInputException e =
                    assertThrows(InvalidInputException.class, () -> up.writeLater(from, size - 1, bytes(4)));
            assertEquals("buffer 'from' of 1048576 bytes: 4 bytes at offset 1048575 are outside it", e.getMessage());
            assertThrows(InvalidInputException.class, () -> up.writeLater(from, 0, bytes(0)));
            assertThrows(InvalidInputException.class, () -> up.writeLater(from, 0, ByteBuffer.allocate(4)));
            assertThrows(InvalidInputException.class, () -> up.readLater(from, 0, bytes(4).asReadOnlyBuffer()));
            try (ClContext other = device.open();
                    ClEvent foreign = other.queue().marker()) {
                assertThrows(IllegalArgumentException.class, () -> up.waitFor(foreign));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void copyZeroAndFill(ClDevice device) {
        try (ClContext context = device.open()) {
            ClQueue queue = context.profilingQueue();
            assertTrue(queue.profiling());
            ClBuffer a = context.buffer("a", 15, Access.READ_WRITE);
            ClBuffer b = context.buffer("b", 15, Access.READ_WRITE);
            queue.fill(a, 0, 12, 0x01010101);
            queue.zero(a, 12, 3);
            queue.zero(a, 5, 2); // not on words
            queue.zero(b);
            queue.copy(a, 3, b, 1, 6);
            queue.copy(a, 0, b, 0, 0); // nothing to do, nothing done
            queue.copy(a, 0, b, 14, 1);
            try (ClEvent event = queue.marker()) {
                event.await();
                assertEquals(queue, event.queue());
            }
            queue.flush();
            ByteBuffer read = bytes(15);
            queue.read(b, 0, read);
            byte[] found = new byte[15];
            read.get(found);
            assertArrayEquals(new byte[] {0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1}, found);
        }
    }

    @Test
    void boundsAreRefused() {
        try (ClContext context = TestDevices.first().open();
                ClContext other = TestDevices.first().open()) {
            ClQueue queue = context.queue();
            ClBuffer buffer = context.buffer("small", 16, Access.READ_WRITE);
            InvalidInputException e =
                    assertThrows(InvalidInputException.class, () -> queue.write(buffer, 8, floats(3)));
            assertEquals("buffer 'small' of 16 bytes: 12 bytes at offset 8 are outside it", e.getMessage());
            assertThrows(InvalidInputException.class, () -> queue.read(buffer, -1, bytes(1)));
            assertThrows(InvalidInputException.class, () -> queue.read(buffer, Long.MAX_VALUE, bytes(1)));
            assertThrows(InvalidInputException.class, () -> queue.zero(buffer, 0, 17));
            assertThrows(InvalidInputException.class, () -> queue.zero(buffer, 1, -1));
            assertThrows(InvalidInputException.class, () -> queue.fill(buffer, 2, 4, 0));
            assertThrows(InvalidInputException.class, () -> queue.copy(buffer, 9, buffer, 0, 8));
            assertThrows(InvalidInputException.class, () -> queue.map(buffer, MappedBuffer.Mode.READ, 16, 0));
            assertThrows(InvalidInputException.class, () -> queue.map(buffer, MappedBuffer.Mode.READ, 0, 1L << 31));
            // The host's side.
            assertThrows(InvalidInputException.class, () -> queue.write(buffer, 0, FloatBuffer.allocate(1)));
            assertThrows(InvalidInputException.class, () -> queue.read(buffer, 0, bytes(4).asReadOnlyBuffer()));
            ByteOrder swapped =
                    ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
            FloatBuffer foreignOrder =
                    ByteBuffer.allocateDirect(4).order(swapped).asFloatBuffer();
            assertThrows(InvalidInputException.class, () -> queue.write(buffer, 0, foreignOrder));
            ClBuffer foreign = other.buffer("foreign", 16, Access.READ_WRITE);
            assertThrows(IllegalArgumentException.class, () -> queue.zero(foreign));
            queue.read(buffer, 16, bytes(0)); // empty is in bounds, and done
        }
    }

    @Test
    void sizesAreRefusedBeforeTheDriverSeesThem() {
        try (ClContext context = TestDevices.first().open()) {
            assertThrows(InvalidInputException.class, () -> context.buffer("none", 0, Access.READ_WRITE));
            assertThrows(InvalidInputException.class, () -> context.buffer("less", -1, Access.READ_WRITE));
            long largest = context.device().capabilities().maxAllocationBytes();
            ClException e =
                    assertThrows(ClException.class, () -> context.hostBuffer("huge", largest + 1, Access.READ_WRITE));
            assertEquals("clCreateBuffer", e.call());
            assertTrue(e.getMessage().contains("'huge' of " + (largest + 1) + " bytes"), e.getMessage());
            assertTrue(e.getMessage().contains("smaller batch"), e.getMessage());
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void mappingsRoundTrip(ClDevice device) {
        try (ClContext context = device.open()) {
            ClQueue queue = context.queue();
            ClBuffer buffer = context.hostBuffer("x", 4096, Access.READ_WRITE);
            assertEquals(Access.READ_WRITE, buffer.access());
            try (MappedBuffer mapped = queue.map(buffer, MappedBuffer.Mode.OVERWRITE)) {
                assertEquals(ByteOrder.nativeOrder(), mapped.bytes().order());
                assertEquals(4096, mapped.bytes().capacity());
                FloatBuffer view = mapped.bytes().asFloatBuffer();
                for (int i = 0; i < 1024; i++) {
                    view.put(i, i);
                }
                mapped.unmap();
                assertThrows(IllegalStateException.class, mapped::unmap);
            }
            queue.launch(
                    program(context).kernel("write_index").setBuffer(0, buffer).setInt(1, 0), NdRange.of(8));
            try (MappedBuffer mapped = queue.map(buffer, MappedBuffer.Mode.READ_WRITE, 4 * 100, 8)) {
                assertEquals(100f, mapped.bytes().getFloat(0));
                mapped.bytes().putFloat(4, -1f);
            }
            MappedBuffer mapped = queue.map(buffer, MappedBuffer.Mode.READ, 4 * 100, 12);
            assertTrue(mapped.bytes().isReadOnly());
            float[] found = new float[3];
            mapped.bytes().asFloatBuffer().get(found);
            assertArrayEquals(new float[] {100, -1, 102}, found);
            mapped.close();
            assertThrows(IllegalStateException.class, mapped::bytes);
        }
    }

    @Test
    void closingABufferUnmapsIt() {
        try (ClContext context = TestDevices.first().open()) {
            ClQueue queue = context.queue();
            ClBuffer buffer = context.hostBuffer("x", 64, Access.READ_WRITE);
            MappedBuffer mapped = queue.map(buffer, MappedBuffer.Mode.READ);
            buffer.close();
            assertTrue(mapped.isClosed());
            queue.finish();
        }
    }

    // ---- events
    // ----------------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void theTimesOfAnEventAreInOrder(ClDevice device) {
        try (ClContext context = device.open()) {
            ClQueue queue = context.profilingQueue();
            ClBuffer out = context.buffer("out", 1 << 16, Access.WRITE_ONLY);
            ClKernel kernel =
                    program(context).kernel("write_index").setBuffer(0, out).setInt(1, 1 << 14);
            try (ClEvent launch = queue.launchEvent(kernel, NdRange.of(1 << 14));
                    ClEvent marker = queue.marker()) {
                ClEvent.Times times = launch.times();
                assertTrue(times.queued() <= times.submitted(), times.toString());
                assertTrue(times.submitted() <= times.started(), times.toString());
                assertTrue(times.started() <= times.ended(), times.toString());
                marker.await();
            }
        }
    }

    @Test
    void withoutProfilingThereAreNoTimes() {
        try (ClContext context = TestDevices.first().open()) {
            ClEvent event = context.queue().marker();
            ClException e = assertThrows(ClException.class, event::times);
            assertTrue(e.getMessage().contains("without profiling"), e.getMessage());
        }
    }

    // ---- closing
    // ---------------------------------------------------------------------------------------------------------

    @Test
    void aParentClosesItsChildrenAndEveryCloseMayBeRepeated() {
        ClContext context = TestDevices.first().open();
        ClQueue queue = context.queue();
        ClProgram program = program(context);
        ClKernel kernel = program.kernel("write_index");
        ClBuffer buffer = context.buffer("x", 16, Access.READ_WRITE);
        ClEvent event = queue.marker();
        assertEquals(liveBefore + 6, OpenCl.liveObjects());
        program.close();
        assertTrue(kernel.isClosed());
        assertFalse(buffer.isClosed());
        context.close();
        for (ClObject object : List.of(context, queue, program, kernel, buffer, event)) {
            assertTrue(object.isClosed(), object.toString());
            object.close();
        }
        assertEquals(liveBefore, OpenCl.liveObjects());
    }

    @Test
    void useAfterCloseNamesTheObject() {
        ClContext context = TestDevices.first().open();
        try {
            ClQueue queue = context.queue();
            ClProgram program = program(context);
            ClKernel kernel = program.kernel("write_index");
            ClBuffer buffer = context.buffer("state", 16, Access.READ_WRITE);
            kernel.setBuffer(0, buffer).setInt(1, 4);
            buffer.close();
            assertClosed("buffer 'state' of 16 bytes", () -> queue.launch(kernel, NdRange.of(4)));
            assertClosed("buffer 'state' of 16 bytes", () -> queue.zero(buffer));
            assertClosed("buffer 'state' of 16 bytes", () -> kernel.setBuffer(0, buffer));
            ClEvent event = queue.marker();
            event.close();
            assertClosed("event of marker", event::await);
            kernel.close();
            assertClosed("kernel 'write_index'", () -> queue.launch(kernel, NdRange.of(4)));
            assertClosed("kernel 'write_index'", kernel::info);
            program.close();
            assertClosed("program 'test'", () -> program.kernel("write_index"));
            queue.close();
            assertClosed(queue.toString(), queue::finish);
            context.close();
            assertClosed(context.toString(), context::queue);
            assertClosed(context.toString(), () -> context.buffer("late", 16, Access.READ_WRITE));
            assertClosed(context.toString(), () -> program(context));
        } finally {
            context.close();
        }
    }

    private static void assertClosed(String name, Executable use) {
        assertEquals(
                name + " is closed",
                assertThrows(IllegalStateException.class, use).getMessage());
    }

    @Test
    void closingFromManyThreadsReleasesOnce() throws Exception {
        for (int round = 0; round < 20; round++) {
            ClContext context = TestDevices.first().open();
            List<ClObject> objects = new ArrayList<>(List.of(context));
            for (int i = 0; i < 10; i++) {
                objects.add(context.buffer("b" + i, 16, Access.READ_WRITE));
            }
            Thread[] threads = new Thread[4];
            Arrays.setAll(threads, t -> new Thread(() -> objects.forEach(ClObject::close)));
            for (Thread thread : threads) {
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(liveBefore, OpenCl.liveObjects());
        }
    }

    // ---- errors
    // ----------------------------------------------------------------------------------------------------------

    @Test
    void joclsOwnExceptionsAreTranslated() {
        try (ClContext context = TestDevices.first().open()) {
            ClProgram program = program(context);
            CL.setExceptionsEnabled(true); // as another library in the same process might
            try {
                ClException e = assertThrows(ClException.class, () -> program.kernel("no_such_kernel"));
                assertEquals(CL.CL_INVALID_KERNEL_NAME, e.status());
                ClKernel kernel = program.kernel("write_index");
                ClQueue queue = context.queue();
                ClException launch = assertThrows(ClException.class, () -> queue.launch(kernel, NdRange.of(1)));
                assertEquals(CL.CL_INVALID_KERNEL_ARGS, launch.status());
                assertThrows(ClBuildException.class, () -> context.program("broken", List.of("kernel"), ""));
            } finally {
                CL.setExceptionsEnabled(false);
            }
        }
    }

    @Test
    void errorsNameTheStatusAndAdvise() {
        ClException e = new ClException("clCreateBuffer", CL.CL_OUT_OF_RESOURCES, "buffer 'x' of 5 bytes");
        assertEquals(
                "clCreateBuffer failed with CL_OUT_OF_RESOURCES (-5): buffer 'x' of 5 bytes; "
                        + "the device is out of memory or registers: try a smaller batch",
                e.getMessage());
        assertTrue(new ClException("clGetPlatformIDs", CL.CL_PLATFORM_NOT_FOUND_KHR, "platforms")
                .getMessage()
                .contains("brew install pocl"));
    }
}
