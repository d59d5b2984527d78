package io.github.cellfuse.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.spi.CellValue;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A wrong value inside a cell is found and named, in whatever quantity, layer, direction, step, row and unit. */
class CellFaultTest {
    private static final int STEP = 3, ROW = 2, UNIT = 4;

    private final long seed = TestEngines.seed(5);
    private final LstmModel model = RandomLstm.model(new Random(seed), Direction.BIDIRECTIONAL, 2, 3, 6, true, true);
    private final LstmInput input =
            RandomInput.ragged(model, Layout.TIME_MAJOR, 4, 7, seed).withLengths(2, 7, 5, 6);

    @ParameterizedTest
    @EnumSource(CellValue.class)
    void isNamed(CellValue quantity) {
        for (int layer = 0; layer < 2; layer++) {
            for (int direction = 0; direction < 2; direction++) {
                int unit = quantity == CellValue.HIDDEN_STATE ? 1 : UNIT;
                int inputs = model.layer(layer).inputSize(), of = direction;
                VerifyReport report = new Verifier(
                                m -> new FaultyCells(
                                        LstmEngine.open(Device.JAVA, m), inputs, of, quantity, STEP, ROW, unit),
                                2)
                        .verify(model, input);
                String what = quantity + " of layer " + layer + "." + direction + ", seed " + seed;
                assertFalse(report.passed(), what);
                assertEquals(
                        0,
                        report.stages().stream()
                                .mapToLong(StageReport::differing)
                                .sum(),
                        what);
                CellFault fault = report.faults().stream().findFirst().orElseThrow();
                assertEquals(
                        List.of(layer, direction, quantity, STEP, ROW, unit),
                        List.of(
                                fault.layer(),
                                fault.direction(),
                                fault.quantity(),
                                fault.step(),
                                fault.row(),
                                fault.unit()),
                        what);
                assertEquals(1, Math.abs(Float.floatToIntBits(fault.device()) - Float.floatToIntBits(fault.twin())));
                assertEquals(1, report.faults().size(), what);
                boolean isState = quantity == CellValue.CELL_STATE || quantity == CellValue.HIDDEN_STATE;
                long differing = report.cells().get(layer).differing();
                // A state is what the next step begins with.
                assertTrue(isState ? differing >= 1 : differing == 1, what + ": " + differing);
                long inRange = report.cells().get(layer).quantities().stream()
                        .filter(q -> q.direction() == of && q.value() == quantity)
                        .flatMap(q -> q.steps().stream())
                        .filter(range -> range.first() <= STEP && STEP <= range.last())
                        .mapToLong(range -> range.agreement().differing())
                        .sum();
                assertEquals(1, inRange, what);
            }
        }
    }

    @Test
    void theOperandsAreWhatTheValueIsComputedFrom() {
        CellFault sum = fault(CellValue.FORGET_PREACTIVATION);
        assertEquals(3 + 3, sum.products(), "inputs and projected hidden states");
        assertEquals("bias, largest product with x, largest product with h", names(sum));
        assertEquals(model.weights(0, 0).bias()[6 + UNIT], sum.operands().get(0).value());
        assertEquals("a_f", names(fault(CellValue.FORGET_GATE)));
        assertEquals("f, c before, i, g", names(fault(CellValue.CELL_STATE)));
        assertEquals("o, c", names(fault(CellValue.UNPROJECTED)));
        CellFault cell = fault(CellValue.CELL_STATE);
        List<CellFault.Operand> of = cell.operands();
        float product = of.get(2).value() * of.get(3).value();
        assertEquals(Math.fma(of.get(0).value(), of.get(1).value(), product), cell.twin());
    }

    private CellFault fault(CellValue quantity) {
        return new Verifier(m -> new FaultyCells(LstmEngine.open(Device.JAVA, m), 3, 0, quantity, STEP, ROW, UNIT), 1)
                .verify(model, input)
                .faults()
                .get(0);
    }

    private static String names(CellFault fault) {
        return fault.operands().stream().map(CellFault.Operand::name).collect(Collectors.joining(", "));
    }

    /** Nobody is at fault: bits and bounds hold in every case, and every case is what its name says. */
    @ParameterizedTest
    @EnumSource(BatchCase.class)
    void javaPassesEveryCase(BatchCase each) {
        LstmModel small = each == BatchCase.DRIFT
                ? RandomLstm.model(new Random(seed), 1, 2, 3, false, true)
                : RandomLstm.any(seed).model();
        LstmModel changed = each.model(small, false);
        LstmInput batch = each.input(changed, Layout.BATCH_MAJOR, each.rows(5), each.steps(6), seed);
        VerifyReport report = new Verifier(m -> LstmEngine.open(Device.JAVA, m), 2).verify(changed, batch);
        assertTrue(report.passed(), each + ", seed " + seed + ": " + report.stages());
        assertEquals(each.model(small, false) != small, changed != small);
        assertEquals(
                batch.x(),
                each.input(changed, Layout.BATCH_MAJOR, each.rows(5), each.steps(6), seed)
                        .x());
    }
}
