package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.OpenCl;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.opencl.OpenClEngineProvider;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.plan.Choosers;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.SequenceGroups;
import io.github.cellfuse.opencl.program.Tile;
import io.github.cellfuse.opencl.tune.FmaPeak;
import io.github.cellfuse.opencl.tune.Roofline;
import io.github.cellfuse.spi.RowOrder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is too large for the kernels' integers, for one transfer or for the device; and what is left behind by what fails. */
class LimitsTest {
    @TempDir
    private Path folder;

    @Test
    void moreThanTheDeviceAllocatesIsRefusedAndWhatThereWasStays() {
        try (ClContext context = TestDevices.first().open();
                ClQueue queue = context.queue()) {
            GrowingBuffer scratch = new GrowingBuffer(context, queue, "hidden states");
            ClBuffer before = scratch.ensure(3, 5);
            long most = context.device().capabilities().maxAllocationBytes(), objects = OpenCl.liveObjects();
            InvalidInputException e = assertThrows(InvalidInputException.class, () -> scratch.ensure(most / 4, 2));
            assertEquals(
                    "hidden states: the batch needs " + most / 4 * 8 + " bytes, but " + context.device()
                            + " allocates at most " + most + " at once; use a smaller batch",
                    e.getMessage());
            assertSame(before, scratch.ensure(2, 7));
            assertEquals(objects, OpenCl.liveObjects());
            // 2^62 values are a long, their bytes aren't.
            assertThrows(InvalidInputException.class, () -> scratch.ensure(1L << 31, 1L << 31));
            scratch.close();
        }
    }

    @Test
    void whatTheKernelsCountInIntegersIsHeldToThem() {
        LstmModel model = RandomLstm.model(new Random(1), 1, 1, 1, false, true);
        LstmInput input = LstmInput.of(Layout.TIME_MAJOR, FloatBuffer.allocate(0), 1 << 20, (1 << 11) - 2);
        assertRefused("rows of all time slots", model, input);
        LstmModel wide = RandomLstm.model(new Random(1), 1, 1 << 20, 1, false, true);
        PlanChoice tall =
                new PlanChoice(Plan.FUSED, Tile.of(4, 1 << 11), Tile.of(4, 1 << 11), SequenceGroups.EACH_TILE, "");
        LstmInput small = LstmInput.timeMajor(new float[1 << 20], 1, 1);
        assertThrows(InvalidInputException.class, () -> new RunSizes(wide, new RowOrder(small), tall, false));
    }

    private static void assertRefused(String what, LstmModel model, LstmInput input) {
        RowOrder order = new RowOrder(input);
        PlanChoice choice = Choosers.typical(TestDevices.first().capabilities(), LayerSize.of(model))
                .choose(input.rows(), input.steps(), Optional.empty(), true);
        InvalidInputException e =
                assertThrows(InvalidInputException.class, () -> new RunSizes(model, order, choice, false));
        assertTrue(e.getMessage().startsWith(what), e.getMessage());
    }

    /** Gigabytes go over in pieces; here a piece is a few rows, so that it takes many and a step is cut as well. */
    @Test
    void batchesAreMovedInPiecesThatOneTransferHolds() {
        Random random = new Random(TestEngines.seed(20));
        LstmModel model = RandomLstm.model(random, 2, 3, 5, true, true);
        LstmInput input = RandomLstm.input(random, model, 9, 7).withInitialState(RandomLstm.state(random, model, 9));
        try (ClContext context = TestDevices.first().open();
                ClQueue queue = context.queue()) {
            PlanChoice choice = Choosers.typical(context.device().capabilities(), LayerSize.of(model))
                    .choose(9, 7, Optional.empty(), true);
            RunSizes run = new RunSizes(model, new RowOrder(input), choice, true);
            GrowingBuffer x = new GrowingBuffer(context, queue, "x"), y = new GrowingBuffer(context, queue, "y");
            GrowingBuffer states = new GrowingBuffer(context, queue, "states");
            x.ensure(run.inputDimensions());
            float[] history = RandomLstm.values(random, (int) (run.historyDimensions()[0] * model.outputSize()), 1);
            new Transfers(queue).write(y.ensure(run.historyDimensions()), 0, history);
            LstmState state = input.initialState().orElseThrow();
            states.ensure(run.stateDimensions());

            float[] whole = new float[(int) (run.inputDimensions()[0] * 3)], pieces = new float[whole.length];
            LstmOutput expected = LstmOutput.allocate(model, input), found = LstmOutput.allocate(model, input);
            move(new Transfers(queue), run, input, x, y, states, whole, expected);
            move(new Transfers(queue, 2 * model.outputSize() + 1), run, input, x, y, states, pieces, found);
            Bits.assertSame("x", whole, pieces);
            Bits.assertSame("y and states", expected, found);
            Bits.assertSame("h", state.h(), found.finalState().h());
            Bits.assertSame("c", state.c(), found.finalState().c());

            int[] order = random.ints(1 << 19).toArray(), back = new int[1 << 19];
            GrowingBuffer integers = new GrowingBuffer(context, queue, "integers");
            new Transfers(queue).write(integers.ensure(order.length), order);
            var bytes = ByteBuffer.allocateDirect(order.length * 4).order(ByteOrder.nativeOrder());
            queue.read(integers.get(), 0, bytes);
            bytes.asIntBuffer().get(back);
            assertArrayEquals(order, back);

            InvalidInputException e = assertThrows(
                    InvalidInputException.class,
                    () -> new BatchTransfer(new Transfers(queue, 2), input, run).uploadInput(x.get()));
            assertEquals(
                    "features of a row and step: expected at most 2, the limit of one transfer, found 3",
                    e.getMessage());
        }
    }

    private static void move(
            Transfers transfers,
            RunSizes run,
            LstmInput input,
            GrowingBuffer x,
            GrowingBuffer y,
            GrowingBuffer states,
            float[] uploaded,
            LstmOutput output) {
        BatchTransfer copy = new BatchTransfer(transfers, input, run);
        copy.uploadInput(x.get());
        copy.uploadState(states.get());
        assertTrue(copy.downloadState(states.get(), output.finalState()));
        copy.downloadOutput(y.get(), output.y());
        transfers.read(x.get(), 0, uploaded);
    }

    @Test
    void aClosedSessionTakesNothingMore() {
        RandomLstm random = RandomLstm.of(5);
        try (var engine = new OpenClEngineProvider()
                .open(OpenClDevices.nameOf(TestDevices.first()), random.model(), defaults())) {
            long objects = OpenCl.liveObjects();
            var session = engine.newSession();
            session.close();
            assertThrows(IllegalStateException.class, () -> session.run(random.input()));
            assertEquals(objects, OpenCl.liveObjects());
        }
    }

    @Test
    void whatFailsToCompileLeavesNothingOpen() throws Exception {
        Random random = new Random(1);
        LstmModel model = RandomLstm.model(random, 1, 3, 5, true, true);
        LstmInput input = RandomLstm.input(random, model, 3, 4);
        var device = OpenClDevices.nameOf(TestDevices.first());
        long before = OpenCl.liveObjects();
        LooseKernels.with(
                folder, "hidden_projection.cl", "lstm_hidden_projection(", "lstm_hidden_projection(oops ", () -> {
                    try (var engine = new OpenClEngineProvider().open(device, model, defaults())) {
                        try (var session = engine.newSession()) {
                            assertThrows(CellFuseException.class, () -> session.run(input));
                            long after = OpenCl.liveObjects();
                            assertThrows(CellFuseException.class, () -> session.run(input));
                            assertEquals(after, OpenCl.liveObjects(), "a second attempt");
                        }
                    }
                });
        assertEquals(before, OpenCl.liveObjects());
    }

    @Test
    void aPeakThatCannotBeMeasuredLeavesNothingOpen() throws Exception {
        var device = OpenClDevices.nameOf(TestDevices.first());
        long before = OpenCl.liveObjects();
        LooseKernels.with(folder, "roofline.cl", "lstm_fma_peak(", "lstm_fma_peak(oops ", () -> {
            assertThrows(CellFuseException.class, () -> new FmaPeak(device));
            assertThrows(CellFuseException.class, () -> new Roofline(device));
        });
        assertEquals(before, OpenCl.liveObjects());
    }

    private static EngineOptions defaults() {
        return EngineOptions.DEFAULT;
    }
}
