package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineContract;
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
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.plan.Choosers;
import io.github.cellfuse.opencl.plan.Described;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChooser;
import io.github.cellfuse.opencl.program.Programs;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The contract on the first OpenCL device, by the plans and tiles that a GPU would get. */
class StagedEngineTest extends EngineContract {
    private static final Capabilities GPU = Described.gpu(2, 64 << 10, 256);

    @Override
    protected Device device() {
        return OpenClDevices.nameOf(TestDevices.first());
    }

    @Override
    protected LstmEngine open(LstmModel model) {
        return open(model, Optional.empty());
    }

    private static LstmEngine open(LstmModel model, Optional<Plan> plan) {
        ClContext context = TestDevices.first().open();
        PlanChooser chooser = Choosers.typical(GPU, LayerSize.of(model));
        return new OpenClEngine(context, new Programs(context), model, new StagedPlans(chooser, plan), Tier.EXACT);
    }

    @ParameterizedTest
    @EnumSource(Plan.class)
    void aBatchWithoutASingleStepGivesItsStateBack(Plan plan) {
        Random random = new Random(TestEngines.seed(61));
        LstmModel model = RandomLstm.model(random, 2, 3, 9, false, true);
        LstmInput input = LstmInput.batchMajor(new float[40 * 2 * 3], 40, 2)
                .withLengths(new int[40])
                .withInitialState(RandomLstm.state(random, model, 40));
        LstmOutput expected;
        try (LstmEngine twin = LstmEngine.open(Device.JAVA, model);
                var session = twin.newSession()) {
            expected = session.run(input);
        }
        try (LstmEngine engine = open(model, Optional.of(plan));
                var session = engine.newSession()) {
            Bits.assertSame(plan.toString(), expected, session.run(input));
        }
    }
}
