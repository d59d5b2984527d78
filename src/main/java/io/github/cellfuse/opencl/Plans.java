package io.github.cellfuse.opencl;

import io.github.cellfuse.Plan;
import io.github.cellfuse.cl.Capabilities;
import java.util.Optional;

/** How an engine runs each shape. Tests put other tiles in its place, so that those of a GPU run on a CPU too. Thread safe. */
interface Plans {
    /** Lanes of every tile: what the weights are packed for. */
    int vec();

    /**
     * The plan and the tiles, of {@link #vec()} lanes, for a batch of {@code rows} rows and {@code steps} steps.
     *
     * @param together whether work-items may wait for each other
     */
    PlanChoice choose(int rows, int steps, boolean together);

    /**
     * Never chooses again what the device doesn't take.
     *
     * @throws UnfitTileException {@code unfit} itself, where there is no other choice
     */
    default void refuse(UnfitTileException unfit) {
        throw unfit;
    }

    /** {@code forced} where the caller insists on a plan; else what was tuned, or what {@link PlanChooser} says. */
    static Plans of(Capabilities device, LayerSize layer, Optional<Plan> forced) {
        Optional<TunedFile> file = TunedFile.of(device);
        Optional<Tuned> measured = file.flatMap(TunedFile::read);
        PlanChooser chooser =
                new PlanChooser(device, layer, measured.map(Tuned::speed).orElseGet(() -> DeviceSpeed.typical(device)));
        // Who forces a plan compares plans, and wants no other.
        TunedTable tuned = forced.isPresent() || measured.isEmpty()
                ? TunedTable.EMPTY
                : TunedTable.of(measured.get(), file.orElseThrow(), layer, chooser);
        return new Plans() {
            @Override
            public int vec() {
                return PlanChooser.vec(device);
            }

            @Override
            public void refuse(UnfitTileException unfit) {
                chooser.refuse(unfit.source(), unfit.tile());
            }

            @Override
            public PlanChoice choose(int rows, int steps, boolean together) {
                return tuned.find(rows, steps, together)
                        .filter(entry -> chooser.mayRun(entry.candidate()))
                        .map(entry -> chooser.choice(entry.candidate(), rows, steps, entry.reason()))
                        .orElseGet(() -> chooser.choose(rows, steps, forced, together));
            }
        };
    }
}
