package io.github.cellfuse.bench.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AccessTest {
    /** Lane l reads from first + l % width * stride + l / width * jump. */
    @ParameterizedTest
    @CsvSource({
        // bytes, first, width, stride, jump, sectors, fewest, pattern
        "4,  0,  32, 4,   0,    4,  4,  4 B coalesced",
        "16, 0,  32, 16,  0,    16, 16, 16 B coalesced",
        "4,  64, 32, 0,   0,    1,  1,  4 B broadcast",
        "16, 64, 32, 0,   0,    1,  1,  16 B broadcast",
        // 16 of 64 bytes: each lane touches a sector of its own and uses half of it
        "16, 0,  32, 64,  0,    32, 16, 16 B stride 64",
        // a scalar of each block: an eighth of each sector is used
        "4,  0,  32, 64,  0,    32, 4,  4 B stride 64",
        // four rows of eight lanes that read the same 8 vectors
        "16, 0,  8,  16,  0,    4,  4,  16 B coalesced",
        // two lines far apart, each read as a whole
        "16, 0,  16, 16,  4096, 16, 16, 16 B coalesced",
        // not on a sector's edge
        "4,  16, 32, 4,   0,    5,  4,  4 B stride 4",
        // overlapping vectors
        "16, 0,  32, 4,   0,    5,  5,  16 B coalesced"
    })
    void countsSectors(
            int bytes, long first, int width, long stride, long jump, int sectors, int fewest, String pattern) {
        Access access = Access.of(
                true,
                bytes,
                LongStream.range(0, Warp.LANES)
                        .map(lane -> first + lane % width * stride + lane / width * jump)
                        .toArray());
        assertEquals(sectors, access.sectors());
        assertEquals(fewest, access.fewest());
        assertEquals(pattern, access.pattern());
    }
}
