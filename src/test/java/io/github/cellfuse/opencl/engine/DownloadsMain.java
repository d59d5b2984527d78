package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.faults.FaultLayer;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.tune.TunedPlans;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * Counts the downloads of runs with and without y, in a process that runs with the {@link FaultLayer}. Prints a line
 * for each case: its name, the reads and mappings with y, those without y, and the writes of the two.
 */
final class DownloadsMain {
    private DownloadsMain() {}

    public static void main(String[] words) throws Exception {
        LstmModel model = RandomLstm.model(new Random(1), Direction.BIDIRECTIONAL, 2, 24, 24, false, true);
        count("whole", model, false);
        count("in parts", model, true);
    }

    private static void count(String name, LstmModel model, boolean inParts) throws Exception {
        LstmInput input = RandomLstm.input(new Random(2), model, 9, 20);
        ClContext context = TestDevices.first().open();
        FaultLayer layer = FaultLayer.ofThisProcess();
        var plans = TunedPlans.of(context.device().capabilities(), LayerSize.of(model), Optional.of(Plan.FUSED));
        try (LstmEngine engine = new OpenClEngine(
                        context,
                        new Programs(context),
                        model,
                        plans,
                        Tier.EXACT,
                        inParts ? PinnedMemory.ofBlocks(context, 1024) : PinnedMemory.of(context),
                        new CopyThreads(2, 16));
                LstmSession session = engine.newSession()) {
            int[] reads = new int[2], writes = new int[2];
            for (int round = 0; round < 2; round++) { // the first one compiles, and allocates what is kept
                for (int k = 0; k < 2; k++) {
                    LstmOutput output =
                            k == 0 ? LstmOutput.allocate(model, input) : LstmOutput.statesOnly(model, input);
                    layer.reset();
                    session.run(input, output);
                    Map<String, Integer> calls = layer.calls();
                    reads[k] =
                            calls.getOrDefault("clEnqueueReadBuffer", 0) + calls.getOrDefault("clEnqueueMapBuffer", 0);
                    writes[k] = calls.getOrDefault("clEnqueueWriteBuffer", 0);
                }
            }
            System.out.println(name + ": " + reads[0] + " " + reads[1] + " " + writes[0] + " " + writes[1]);
        }
    }
}
