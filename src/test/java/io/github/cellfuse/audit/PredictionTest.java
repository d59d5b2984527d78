package io.github.cellfuse.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.audit.Instruction.Kind;
import io.github.cellfuse.opencl.plan.KernelVariant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class PredictionTest {
    private static final KernelVariant TILE = Variants.tiled("lstm_step_tiled", 128, 128);

    /** Independent multiply-adds, other vector instructions, and 16-byte loads from local memory. */
    private static Mix loop(int fmas, int others, int localLoads) {
        List<Instruction> all = new ArrayList<>();
        for (int k = 0; k < fmas; k++) {
            all.add(Instruction.vector("fma", 1, 1, List.of(new Instruction.Sum("r" + k, "r" + k))));
        }
        all.addAll(Collections.nCopies(others, Instruction.vector("add", 1, 0, List.of())));
        all.addAll(Collections.nCopies(localLoads, Instruction.memory("load", Kind.LOCAL_LOAD, 16)));
        return new Mix(all);
    }

    private static Prediction predict(String target, Mix loop, int waves) {
        return Prediction.of(Target.named(target).unit(), loop, TILE, new Occupancy(1, waves, ""));
    }

    @Test
    void otherVectorInstructionsTakeTheirTurn() {
        assertEquals(0.8, predict("gfx906", loop(64, 16, 4), 8).issue(), 1e-9);
        // not packed: half of the peak to begin with
        assertEquals(0.4, predict("gfx90a", loop(64, 16, 4), 8).issue(), 1e-9);
    }

    @Test
    void loadsTakeASlotOfNvidiasScheduler() {
        assertEquals(64.0 / 84, predict("sm_90", loop(64, 16, 4), 8).issue(), 1e-9);
        // 84 slots in the 128 clocks of the multiply-adds
        assertEquals(1, predict("sm_80", loop(64, 16, 4), 8).issue(), 1e-9);
    }

    @Test
    void aTileOfEightByEightJustFitsLocalMemoryOfHopper() {
        // 64 FMAs of 4 x 32 lanes at 128 a clock: 64 clocks; 4 loads x 16 bytes x 128 lanes at 128 a clock: 64, too
        assertEquals(1, predict("sm_90", loop(64, 0, 4), 8).local(), 1e-9);
        assertEquals(0.5, predict("sm_90", loop(64, 0, 8), 8).local(), 1e-9);
    }

    @Test
    void aTileNeedsBytesOfTheSharedCache() {
        // (4/128 + 4/128) bytes x 64 FMAs a clock = 4 of 17
        assertEquals(1, predict("gfx906", loop(64, 0, 4), 8).global(), 1e-9);
        KernelVariant small = Variants.tiled("lstm_step_tiled", 8, 16);
        // (4/8 + 4/16) x 64 = 48 of 17
        Prediction prediction =
                Prediction.of(Target.named("gfx906").unit(), loop(64, 0, 4), small, new Occupancy(1, 8, ""));
        assertEquals(17.0 / 48, prediction.global(), 1e-9);
        assertEquals("caches", prediction.limit());
        assertEquals(17.0 / 48, prediction.ofPeak(), 1e-9);
    }

    @Test
    void wavesHideEachOthersWaiting() {
        // one wave: 64 x 4 clocks busy, 64 waiting
        assertEquals(0.8, predict("gfx906", loop(64, 0, 4), 4).latency(), 1e-9);
        assertEquals(1, predict("gfx906", loop(64, 0, 4), 8).latency(), 1e-9);
        // two sums of a wave and no other wave: 2 clocks of the 5 that one takes
        assertEquals(0.4, predict("gfx1030", loop(2, 0, 0), 2).latency(), 1e-9);
    }
}
