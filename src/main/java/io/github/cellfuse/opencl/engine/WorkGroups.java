package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;
import java.util.Arrays;

/** How a device's launches are divided into work-groups. */
record WorkGroups(Capabilities device) {
    /** Work-items of a group in a padded row: whole vectors on every CPU, and few idle ones in a narrow row. */
    private static final long PADDED_GROUP = 16;

    /**
     * Makes each work-item a group of its own on a CPU: it is a tile, which is enough work, and a CPU's driver compiles
     * a kernel again for each size of work-group. A GPU's driver chooses better.
     */
    NdRange oneByOne(NdRange range) {
        if (!onCpu()) {
            return range.anyLocal();
        }
        long[] ones = new long[range.dimensions()];
        Arrays.fill(ones, 1);
        return range.local(ones);
    }

    /**
     * Makes a group of {@code size} small work-items, a row, on a CPU, so that the driver compiles a loop over them.
     */
    NdRange wholeRows(NdRange range, int size) {
        if (!onCpu()) {
            return range.anyLocal();
        }
        return range.local(largest(size), 1, 1);
    }

    /** Returns the size of the largest group that {@code size} is a multiple of. */
    long largest(long size) {
        long local = Math.min(size, most());
        while (size % local != 0) {
            local--;
        }
        return local;
    }

    private long most() {
        return Math.min(device.maxWorkGroupSize(), device.maxWorkItemSizes().get(0));
    }

    /**
     * Returns rows of at least {@code width} small work-items, for a kernel that ignores those beyond its row. On a CPU
     * a group has the same size for every width, so that the driver compiles the kernel once for all models.
     */
    NdRange paddedRows(int width, int rows, int directions) {
        if (!onCpu()) {
            return NdRange.of(width, rows, directions);
        }
        long local = Math.min(PADDED_GROUP, most());
        long across = (width + local - 1) / local * local;
        return NdRange.of(across, rows, directions).local(local, 1, 1);
    }

    /** Returns the groups of a staged tile: units first, because neighbors read neighboring weights. */
    static NdRange staged(Tile tile, int blocks, int rows, int directions) {
        Staging group = tile.staging();
        long across = (blocks + group.blocks() - 1L) / group.blocks() * group.units();
        return NdRange.of(across, rowItems(tile, rows), directions).local(group.units(), group.rows(), 1);
    }

    /** Returns the work-items along the rows of a staged tile. */
    static long rowItems(Tile tile, int rows) {
        return (rows + tile.groupRows() - 1L)
                / tile.groupRows()
                * tile.staging().rows();
    }

    private boolean onCpu() {
        return device.type() == Capabilities.Type.CPU;
    }
}
