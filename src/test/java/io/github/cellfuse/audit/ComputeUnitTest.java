package io.github.cellfuse.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComputeUnitTest {
    /** Each by hand; those of AMD without a group are what LLVM writes as {@code Occupancy}, times SIMDs. */
    @ParameterizedTest
    @CsvSource({
        // 256/116 = 2 waves of a SIMD
        "gfx906,  115, 0,     0,   0, 8,  registers",
        // 256/24 = 10 = the slots
        "gfx906,  22,  0,     0,   0, 40, wave slots",
        // 512/144 = 3
        "gfx90a,  138, 0,     0,   0, 12, registers",
        // 1024/128 = 8
        "gfx1030, 115, 0,     0,   0, 16, registers",
        // 1536/144 = 10
        "gfx1100, 122, 0,     0,   0, 20, registers",
        // 10 waves of 2 SIMDs, 8 of a group: two and a half
        "gfx1100, 122, 16640, 256, 2, 16, registers",
        // 512/88 = 5 of each SIMD, and 20 KiB of 64 for a group of four
        "gfx90a,  88,  20480, 256, 3, 12, local memory",
        // 4 waves of a SIMD, 16 in all; a group has 4
        "gfx942,  128, 16384, 256, 4, 16, registers",
        // 65536 / (136 * 32) = 15, 3 for each scheduler, 12 in all; a group has 8
        "sm_75,   136, 16640, 256, 1, 8,  registers",
        // 48 KiB and 1 of the system's in 164
        "sm_80,   64,  49152, 128, 3, 12, local memory",
        // 64 warps of 2 in a group
        "sm_90,   32,  0,     64,  32, 64, wave slots",
        "sm_90,   32,  0,     32,  32, 32, work-group slots"
    })
    void occupancyByHand(String target, int registers, int local, int workGroup, int groups, int waves, String limit) {
        assertEquals(
                new Occupancy(groups, waves, limit),
                Target.named(target).unit().occupancy(registers, local, workGroup));
    }

    /** Multiply-adds a clock and unit, of which vendors' peaks are made: 304 · 128 · 2 · 2.1 GHz are MI300X's 163.4 TFLOP/s. */
    @ParameterizedTest
    @CsvSource({
        "gfx906, 64",
        "gfx90a, 128",
        "gfx942, 128",
        "gfx1030, 64",
        "gfx1100, 128",
        "sm_75, 64",
        "sm_80, 64",
        "sm_90, 128"
    })
    void peakOfAClock(String target, int fmas) {
        assertEquals(fmas, Target.named(target).unit().peak());
    }
}
