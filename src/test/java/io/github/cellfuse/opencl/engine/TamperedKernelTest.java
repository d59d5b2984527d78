package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Direction;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.implementations.EveryImplementation;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.Plans;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.Tile;
import io.github.cellfuse.opencl.program.UnfitTileException;
import io.github.cellfuse.opencl.tune.TunedPlans;
import io.github.cellfuse.spi.CellValue;
import io.github.cellfuse.verify.CellFault;
import io.github.cellfuse.verify.RandomInput;
import io.github.cellfuse.verify.Verifier;
import io.github.cellfuse.verify.VerifyReport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Verification finds the stage of a kernel that computes otherwise, and names layer, direction, step, row and unit. */
class TamperedKernelTest {
    private static final int STEP = 3, ROW = 2, UNIT = 0;

    /** One cell of the upper layer's reverse direction. */
    private static final String HERE = "inputs == 10 && direction == 1 && slot == 4 && row + m == 2 && block == 0";

    @TempDir
    private Path folder;

    /** Kernels with a fault in one cell. */
    @EveryImplementation
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            a_i | cell_state after = | if (HERE) ((float*)&gates[m][0])[0] += 1.0f; cell_state after =
            a_f | cell_state after = | if (HERE) ((float*)&gates[m][1])[0] += 1.0f; cell_state after =
            a_g | cell_state after = | if (HERE) ((float*)&gates[m][2])[0] += 1.0f; cell_state after =
            a_o | cell_state after = | if (HERE) ((float*)&gates[m][3])[0] += 1.0f; cell_state after =
            h   | store_lanes(after.h, | if (HERE) ((float*)&after.h)[0] *= 2.0f; store_lanes(after.h,
            """)
    void aFaultInOneCellIsNamed(String quantity, String before, String after) throws Exception {
        for (ClDevice device : TestDevices.list()) {
            LooseKernels.with(subfolder(device), "lstm_step.cl", before, after.replace("HERE", HERE), () -> {
                VerifyReport report = verify(device);
                List<CellFault> faults = report.faults();
                assertEquals(1, faults.size(), report::toString);
                CellFault fault = faults.get(0);
                assertEquals(
                        "layer 1, direction 1, " + quantity + ", step " + STEP + ", row " + ROW + ", unit " + UNIT,
                        "layer " + fault.layer() + ", direction " + fault.direction() + ", " + fault.quantity()
                                + ", step " + fault.step() + ", row " + fault.row() + ", unit " + fault.unit(),
                        device::toString);
                assertTrue(!report.passed() && report.layers().get(0).differing() == 0, report::toString);
                assertTrue(report.layers().get(1).differing() > 0, "the output differs, too");
            });
        }
    }

    /** Functions with a fault in all cells of the reverse direction; its first step is the last. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            i | i = sigmoid(ai),         | i = sigmoid(direction > 0 ? ai * 1.5f : ai),
            f | f = sigmoid(af),         | f = sigmoid(direction > 0 ? af * 1.5f : af),
            g | g = tanh_(ag);           | g = tanh_(direction > 0 ? ag * 1.5f : ag);
            c | fma(f, c, i * g)         | fma(f, c, direction > 0 ? i * g * 1.5f : i * g)
            o | floatv o = sigmoid(ao);  | floatv o = sigmoid(direction > 0 ? ao * 1.5f : ao);
            h | o * tanh_(next.c);       | o * tanh_(direction > 0 ? next.c * 1.5f : next.c);
            """)
    void aFaultInAFunctionIsNamed(String quantity, String before, String after) throws Exception {
        for (ClDevice device : TestDevices.list()) {
            LooseKernels.with(subfolder(device), "lstm_cell.cl", before, after, () -> {
                VerifyReport report = verify(device);
                assertEquals(
                        List.of(0, 1),
                        report.faults().stream().map(CellFault::layer).toList());
                for (CellFault fault : report.faults()) {
                    assertEquals(quantity, fault.quantity().toString(), device::toString);
                    assertEquals(List.of(1, 4, 0), List.of(fault.direction(), fault.step(), fault.row()));
                }
                // What follows from a fault isn't counted as one.
                report.cells()
                        .forEach(layer -> layer.quantities().stream()
                                .filter(q -> q.direction() == 0
                                        || q.value().ordinal() < value(quantity).ordinal())
                                .forEach(q -> assertEquals(0, q.all().differing(), q.value() + "." + q.direction())));
            });
        }
    }

    private static CellValue value(String symbol) {
        return List.of(CellValue.values()).stream()
                .filter(value -> value.toString().equals(symbol))
                .findFirst()
                .orElseThrow();
    }

    private Path subfolder(ClDevice device) throws Exception {
        return Files.createDirectory(folder.resolve("" + device.platformIndex() + device.index()));
    }

    private static VerifyReport verify(ClDevice device) {
        long seed = TestEngines.seed(3);
        LstmModel model = RandomLstm.model(new Random(seed), Direction.BIDIRECTIONAL, 2, 3, 5, false, true);
        LstmInput input = RandomInput.full(model, Layout.BATCH_MAJOR, 3, 5, seed);
        return new Verifier(m -> engine(device, m), 1).verify(model, input);
    }

    /** An engine that claims the exact tier, although the self-test would find the fault. */
    private static LstmEngine engine(ClDevice device, LstmModel model) {
        Plans plans = TunedPlans.of(device.capabilities(), LayerSize.of(model), Optional.of(Plan.FUSED));
        // A GPU would be given a staged tile, whose kernel has no fault.
        for (Tile tile = step(plans); tile.isStaged(); tile = step(plans)) {
            plans.refuse(new UnfitTileException(KernelSource.step(tile), tile, "this test is about lstm_step"));
        }
        ClContext context = device.open();
        return new OpenClEngine(context, new Programs(context), model, plans, Tier.EXACT);
    }

    private static Tile step(Plans plans) {
        return plans.choose(3, 5, true).step();
    }
}
