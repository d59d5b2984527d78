package io.github.cellfuse.bench.audit;

import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * What a load from or a store to global memory asks for when the lanes of a warp execute it together. Immutable.
 *
 * @param load whether it is a load
 * @param bytes bytes of a lane
 * @param stride bytes from the address of the first lane to that of the second
 * @param sectors sectors of 32 bytes that it touches: memory and caches move whole sectors
 * @param fewest sectors that would hold its bytes
 */
record Access(boolean load, int bytes, long stride, int sectors, int fewest) {
    private static final int SECTOR = 32;

    /** @param addresses those of the lanes that execute it */
    static Access of(boolean load, int bytes, long[] addresses) {
        int sectors = (int) Arrays.stream(addresses)
                .flatMap(from -> LongStream.rangeClosed(from / SECTOR, (from + bytes - 1) / SECTOR))
                .distinct()
                .count();
        long distinct = 0, end = Long.MIN_VALUE;
        for (long from : Arrays.stream(addresses).distinct().sorted().toArray()) {
            distinct += from + bytes - Math.max(from, end);
            end = from + bytes;
        }
        long stride = addresses.length > 1 ? addresses[1] - addresses[0] : 0;
        return new Access(load, bytes, stride, sectors, (int) ((distinct + SECTOR - 1) / SECTOR));
    }

    /** Returns the width and how the addresses of the lanes differ, such as {@code 16 B coalesced}. */
    String pattern() {
        String lanes;
        if (sectors > fewest) {
            lanes = "stride " + stride;
        } else {
            lanes = fewest * SECTOR <= Math.max(SECTOR, bytes) ? "broadcast" : "coalesced";
        }
        return bytes + " B " + lanes;
    }
}
