package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.opencl.engine.OpenClEngine;
import io.github.cellfuse.opencl.plan.PlanChoice;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Runs several choices on one batch: compares their bits, then their times. Not thread safe. */
final class Trial implements AutoCloseable {
    private final SwitchedPlans plans;
    private final List<PlanChoice> choices;
    private final LstmInput input;
    private final LstmOutput expected;
    private final LstmOutput output;
    private final LstmSession session;

    /** Cooperative work-items gave up waiting for each other, so another choice ran and the measurement is void. */
    static final class CooperationFailedException extends Exception {
        private static final long serialVersionUID = 1L;
    }

    /**
     * Prepares the runs.
     *
     * @param engine the engine whose plans are {@code plans}
     * @param choices the choices, which later calls name by their index
     */
    Trial(OpenClEngine engine, SwitchedPlans plans, List<PlanChoice> choices, LstmInput input) {
        this.plans = plans;
        this.choices = choices;
        this.input = input;
        expected = LstmOutput.allocate(engine.model(), input);
        output = LstmOutput.allocate(engine.model(), input);
        session = engine.newSession();
    }

    /**
     * Runs every choice, which compiles its kernels.
     *
     * @return the first choice whose bits differ from those of choice 0, if there is one
     */
    Optional<PlanChoice> firstThatDiffers() throws CooperationFailedException {
        run(choices.get(0), expected);
        for (PlanChoice choice : choices) {
            run(choice, output);
            if (differ(expected.y(), output.y())
                    || differ(expected.finalState().h(), output.finalState().h())
                    || differ(expected.finalState().c(), output.finalState().c())) {
                return Optional.of(choice);
            }
        }
        return Optional.empty();
    }

    /**
     * Measures rounds in which each of {@code runners}, indices of choices, runs once.
     *
     * @param seconds when to stop, after {@code least} rounds at the earliest and {@code most} at the latest
     */
    Race race(List<Integer> runners, double seconds, int least, int most) throws CooperationFailedException {
        List<double[]> rounds = new ArrayList<>();
        long start = System.nanoTime();
        while (rounds.size() < least || rounds.size() < most && secondsSince(start) < seconds) {
            double[] round = new double[runners.size()];
            for (int k = 0; k < round.length; k++) {
                // Each round begins with another runner, so that none always finds the same one's data in the caches.
                int runner = (k + rounds.size()) % round.length;
                long from = System.nanoTime();
                run(choices.get(runners.get(runner)), output);
                round[runner] = secondsSince(from);
            }
            rounds.add(round);
        }
        double[][] times = new double[runners.size()][rounds.size()];
        for (int round = 0; round < rounds.size(); round++) {
            for (int k = 0; k < times.length; k++) {
                times[k][round] = rounds.get(round)[k];
            }
        }
        return new Race(times);
    }

    private static double secondsSince(long start) {
        return (System.nanoTime() - start) * 1e-9;
    }

    private void run(PlanChoice choice, LstmOutput into) throws CooperationFailedException {
        plans.use(choice);
        boolean before = plans.isCooperative();
        session.run(input, into);
        if (plans.isCooperative() != before) {
            throw new CooperationFailedException();
        }
    }

    private static boolean differ(float[] a, float[] b) {
        return differ(FloatBuffer.wrap(a), FloatBuffer.wrap(b));
    }

    private static boolean differ(FloatBuffer a, FloatBuffer b) {
        for (int k = 0; k < a.limit(); k++) {
            if (Float.floatToIntBits(a.get(k)) != Float.floatToIntBits(b.get(k))) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void close() {
        session.close();
    }
}
