package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.program.Tile;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** The tiles of a work-item whose sums stay in registers and whose operands come from the caches. Immutable. */
record RegisterTiles(DeviceTraits device) {
    private static final int[] HEIGHTS = {6, 4, 3, 2, 1};
    private static final int[] TWO_PASS_HEIGHTS_32 = {13, 11, 8};
    private static final int[] TWO_PASS_HEIGHTS_16 = {6, 5, 4};

    /** What a tile costs besides its rows, in rows, when the best one for a batch is chosen by its height alone. */
    private static final double EACH_TILE = 0.75;

    /** Returns how many tiles as tall as {@code tile} hold {@code rows} rows. */
    static long count(long rows, Tile tile) {
        return (rows + tile.rows() - 1) / tile.rows();
    }

    /** Returns all tiles worth a try: those of one pass, and those of two passes on a CPU with fused multiply-adds. */
    List<Tile> all() {
        List<Tile> all = new ArrayList<>(onePass());
        if (device.isCpu() && !device.emulatesFma()) {
            all.addAll(twoPasses());
        }
        return all;
    }

    /** Returns the tile of one pass with the least work for {@code rows} rows. */
    Tile best(long rows) {
        return onePass().stream()
                .min(Comparator.comparingDouble(tile -> count(rows, tile) * (tile.rows() + EACH_TILE)))
                .orElseThrow();
    }

    /** Returns the tiles whose sums of all gates fit the registers. */
    private List<Tile> onePass() {
        return IntStream.of(HEIGHTS)
                .filter(height -> height <= device.tallestTile())
                .mapToObj(height -> Tile.of(device.vec(), height))
                .toList();
    }

    /**
     * Returns the tiles that go over k twice: each row needs two vectors of sums; two weights and a broadcast must also
     * fit.
     */
    private List<Tile> twoPasses() {
        return IntStream.of(device.hasThirtyTwoRegisters() ? TWO_PASS_HEIGHTS_32 : TWO_PASS_HEIGHTS_16)
                .mapToObj(height -> new Tile(device.vec(), height, 2, 0, false, true))
                .toList();
    }
}
