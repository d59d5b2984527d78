package io.github.cellfuse.opencl.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.opencl.engine.OpenClEngine;
import io.github.cellfuse.opencl.program.Programs;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The candidates that {@code cellfuse tune} may store for a shape. */
class CandidatesTest {
    private static final int CASES = 10;

    /** Every possible winner gives the bits of the Java engine. */
    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void everyCandidateGivesTheBitsOfTheJavaEngine(ClDevice device) {
        try (ClContext context = device.open()) {
            Programs programs = new Programs(context);
            for (long seed = TestEngines.seed(900), end = seed + CASES; seed < end; seed++) {
                RandomLstm random = random(seed);
                LstmInput input = random.input();
                PlanChooser chooser = Choosers.typical(device.capabilities(), LayerSize.of(random.model()));
                LstmOutput expected;
                try (LstmEngine java = LstmEngine.open(Device.JAVA, random.model());
                        var session = java.newSession()) {
                    expected = session.run(input);
                }
                for (Candidate candidate : chooser.candidates(input.rows(), input.steps(), true)) {
                    assertTrue(chooser.mayRun(candidate), candidate::toString);
                    PlanChoice choice = chooser.choice(candidate, input.rows(), input.steps(), "test")
                            .atAnyTime();
                    OpenClEngine engine =
                            new OpenClEngine(context, programs, random.model(), always(choice), Tier.EXACT);
                    try (var session = engine.newSession()) {
                        Bits.assertSame(random + " by " + candidate, expected, session.run(input));
                    } finally {
                        engine.closeMemory();
                    }
                }
            }
        }
    }

    /** Returns a case with large or small sizes, by turns. */
    private static RandomLstm random(long seed) {
        Random random = new Random(seed);
        int rows = RandomLstm.SIZES[random.nextInt(RandomLstm.SIZES.length)];
        int units = RandomLstm.SIZES[random.nextInt(RandomLstm.SIZES.length)];
        LstmModel model =
                RandomLstm.model(random, 1 + random.nextInt(2), 1 + random.nextInt(40), units, seed % 3 == 0, true);
        return new RandomLstm(seed, model, RandomLstm.input(random, model, rows, 1 + random.nextInt(12)));
    }

    private static Plans always(PlanChoice choice) {
        return new Plans() {
            @Override
            public int vec() {
                return choice.step().vec();
            }

            @Override
            public PlanChoice choose(int rows, int steps, boolean cooperative) {
                assertTrue(cooperative, "no work-item gives up waiting");
                return choice;
            }
        };
    }

    @Test
    void theUsualChoiceComesFirstAndTheListIsBoundedAndOfAllKinds() {
        Capabilities device = TestDevices.first().capabilities();
        for (int units : new int[] {1, 64, 256, 1024, 4096}) {
            PlanChooser chooser = Choosers.typical(device, new LayerSize(units, units, units, 1), 64);
            for (int rows : new int[] {1, 7, 31, 64, 207, 5000}) {
                for (int steps : new int[] {1, 7, 64}) {
                    for (boolean cooperative : new boolean[] {true, false}) {
                        List<Candidate> all = chooser.candidates(rows, steps, cooperative);
                        String what = units + " units, " + rows + " rows, " + steps + " steps: " + all;
                        PlanChoice own = chooser.choose(rows, steps, Optional.empty(), cooperative);
                        assertEquals(Candidate.of(own), all.get(0), what);
                        assertEquals(
                                own, chooser.choice(all.get(0), rows, steps, reason(own)), "as if it had been chosen");
                        assertTrue(all.size() <= PlanChooser.MAX_CANDIDATES && all.size() >= 2, what);
                        assertEquals(all.size(), new HashSet<>(all).size(), what);
                        assertTrue(all.stream().allMatch(chooser::mayRun), what);
                        assertTrue(all.stream().anyMatch(c -> c.plan() == Plan.FUSED), what);
                        assertTrue(
                                cooperative
                                        || all.stream()
                                                .noneMatch(c -> c.groups().isCooperative()),
                                what);
                    }
                }
            }
        }
    }

    private static String reason(PlanChoice choice) {
        return choice.reason().replaceFirst("^[^(]*\\(", "").replaceFirst("\\), tile of .*", "");
    }
}
