package io.github.cellfuse.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.TestEngines;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A benchmark knows when the machine has other work. */
class BusyMachineTest {
    private static final MachineLoad IDLE = MachineLoad.of(0.5, 0.45, true);

    @Test
    void besideBusyProcessesEveryResultIsMarked() throws IOException {
        List<Process> busy = new ArrayList<>();
        try {
            for (int k = 0; k < Runtime.getRuntime().availableProcessors(); k++) {
                busy.add(new ProcessBuilder("sh", "-c", "while :; do :; done").start());
            }
            List<BenchCase> cases = List.of(
                    new BenchCase.Run("quick", Dimensions.of(16, 64, 64, 64), BenchCase.Plans.CHOSEN, null, true),
                    new BenchCase.Recurrent("deepbench", Dimensions.of(16, 64, 1, 64)),
                    new BenchCase.Cell("cell", 256, 256));
            BenchReport report = Benchmark.run(TestEngines.exact().get(1), cases, new Rounds(3), done -> {});
            // What follows is about a device that is the processor.
            assertEquals(DeviceInfo.Kind.CPU, report.device().info().kind());
            for (BenchResult result : report.results()) {
                assertTrue(
                        result.timing().disturbances().toString().contains("other programs used "), result.toString());
            }
            assertEquals(report.results().size(), report.disturbed());
        } finally {
            busy.forEach(Process::destroyForcibly);
        }
    }

    @Test
    void aSteadyResultBelowItsLimitIsTrusted() {
        assertEquals(List.of(), timing(IDLE, 1, 1.02, 1.1, 1.18).disturbances());
        assertFalse(timing(IDLE, 1, 1, 1).isDisturbed());
    }

    @Test
    void whatIsWrongIsSaid() {
        MachineLoad load = MachineLoad.of(0.95, 0.5, true);
        assertEquals(
                List.of("other programs used 45 % of the processor"),
                timing(load, 1, 1, 1).disturbances());
        assertEquals(
                List.of("half of the rounds differ by 75 %"),
                timing(IDLE, 1, 2, 3, 4, 1.5).disturbances());
        RoundTimes fast = new RoundTimes();
        fast.add(1, 1.03);
        assertEquals(
                List.of("it reached 103 % of its limit"), fast.byDevice(IDLE).disturbances());
        // One wrong round of many doesn't count, and what has no limits can't reach them.
        fast.add(1, 0.9);
        fast.add(1, Double.NaN);
        fast.add(1, 0.8);
        assertFalse(fast.byDevice(IDLE).isDisturbed());
    }

    /** A GPU that computes doesn't need every processor, but what feeds it needs one. */
    @Test
    void otherProgramsDisturbWhatNeedsTheirProcessor() {
        assertTrue(MachineLoad.of(0.5, 0.1, true).isDisturbing());
        assertFalse(MachineLoad.of(0.5, 0.1, false).isDisturbing());
        assertTrue(MachineLoad.of(0.95, 0.1, false).isDisturbing());
        assertFalse(MachineLoad.of(0.95, 0.9, true).isDisturbing());
        // The two loads are counted over slightly different times.
        assertEquals(0, MachineLoad.of(0.5, 0.55, true).others());
    }

    private static Timing timing(MachineLoad load, double... seconds) {
        RoundTimes times = new RoundTimes();
        for (double each : seconds) {
            times.add(each, 0.9);
        }
        return times.byHost(0.5, load);
    }
}
