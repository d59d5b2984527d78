package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.Plan;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.PlanChooser;
import io.github.cellfuse.opencl.plan.Plans;
import io.github.cellfuse.opencl.program.UnfitTileException;
import java.util.Optional;

/**
 * Chooses the winner of {@code cellfuse tune} for a batch of a similar size, or else what {@link PlanChooser} chooses.
 */
public final class TunedPlans implements Plans {
    private final PlanChooser chooser;
    private final TunedTable tuned;
    private final Optional<Plan> forced;
    /** The last choice: a session often asks for the same shape again. */
    private volatile Chosen last;

    private record Chosen(int rows, int steps, boolean cooperative, PlanChoice choice) {
        boolean isFor(int rows, int steps, boolean cooperative) {
            return this.rows == rows && this.steps == steps && this.cooperative == cooperative;
        }
    }

    private TunedPlans(PlanChooser chooser, TunedTable tuned, Optional<Plan> forced) {
        this.chooser = chooser;
        this.tuned = tuned;
        this.forced = forced;
    }

    /**
     * Returns the plans for a device and the sizes of a model.
     *
     * @param forced the only plan that may be chosen, if the caller insists on one; it bypasses tuned entries
     */
    public static Plans of(Capabilities device, LayerSize layer, Optional<Plan> forced) {
        Optional<TunedFile> file = TunedFile.of(device);
        Optional<Tuned> measured = file.flatMap(TunedFile::read);
        PlanChooser chooser =
                new PlanChooser(device, layer, measured.map(Tuned::speed).orElseGet(() -> DeviceSpeed.typical(device)));
        TunedTable tuned = forced.isPresent() || measured.isEmpty()
                ? TunedTable.EMPTY
                : TunedTable.of(measured.get(), file.orElseThrow(), layer, chooser);
        return new TunedPlans(chooser, tuned, forced);
    }

    @Override
    public int vec() {
        return chooser.vec();
    }

    @Override
    public boolean asksToWait() {
        return forced.equals(Optional.of(Plan.SEQUENCE))
                || tuned.entries().stream()
                        .anyMatch(entry -> entry.candidate().groups().isCooperative());
    }

    @Override
    public void refuse(UnfitTileException unfit) {
        chooser.refuse(unfit);
        last = null;
    }

    @Override
    public PlanChoice choose(int rows, int steps, boolean cooperative) {
        Chosen known = last;
        if (known == null || !known.isFor(rows, steps, cooperative)) {
            last = known = new Chosen(rows, steps, cooperative, find(rows, steps, cooperative));
        }
        return known.choice;
    }

    private PlanChoice find(int rows, int steps, boolean cooperative) {
        return tuned.find(rows, steps, cooperative)
                .filter(entry -> chooser.mayRun(entry.candidate()))
                .map(entry -> chooser.choice(entry.candidate(), rows, steps, entry.reason()))
                .orElseGet(() -> chooser.choose(rows, steps, forced, cooperative));
    }
}
