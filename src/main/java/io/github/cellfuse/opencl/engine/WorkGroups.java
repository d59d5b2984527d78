package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;

/**
 * How a device's launches are divided into work-groups. On a CPU a group has exactly the work-items that are needed. On
 * a GPU it has a size that suits waves, and kernels ignore the work-items beyond their rows and units. No group is
 * larger than the device and the kernel allow: a kernel that needs many registers allows less than its device.
 *
 * @param limit the largest group of the kernel
 */
record WorkGroups(Capabilities device, long limit) {
    /** Work-items of a group in a padded row: whole vectors on every CPU, and few idle ones in a narrow row. */
    private static final long PADDED_GROUP = 16;

    /** Work-items of a group on a GPU: a wave of AMD's, two of NVIDIA's. */
    private static final long GPU_GROUP = 64;

    /** Tiles along the rows and blocks of units of such a group: each weight serves several tiles. */
    private static final long GROUP_TILES = 8;

    /** Rows and blocks of units of a group of small work-items: neighbors read neighboring values. */
    private static final long GROUP_ROWS = 4, GROUP_BLOCKS = GPU_GROUP / GROUP_ROWS;

    /** The groups of kernels that run as large ones as the device has. */
    WorkGroups(Capabilities device) {
        this(device, Long.MAX_VALUE);
    }

    /** Returns the groups of {@code kernel}. */
    WorkGroups of(Kernel kernel) {
        return new WorkGroups(device, kernel.maxWorkGroupSize());
    }

    /**
     * Returns a work-item for each tile, (tiles along the rows, blocks, directions). On a CPU each is a group of its
     * own: a tile is enough work, and a CPU's driver compiles a kernel again for each size of work-group. Change the
     * number of tiles by {@link #rowTiles}.
     */
    NdRange tiles(long rowTiles, int blocks, int directions) {
        return isTiny()
                ? NdRange.of(rowTiles, blocks, directions).local(1, 1, 1)
                : NdRange.of(rowTiles(rowTiles), roundUp(blocks, GPU_GROUP / GROUP_TILES), directions)
                        .local(GROUP_TILES, GPU_GROUP / GROUP_TILES, 1);
    }

    /** Returns the work-items along the rows for {@code tiles} tiles. */
    long rowTiles(long tiles) {
        return isTiny() ? tiles : roundUp(tiles, GROUP_TILES);
    }

    /** Returns {@code items} work-items, which are all needed. */
    NdRange line(long items) {
        return NdRange.of(items).local(onCpu() ? 1 : largest(items, Math.min(most(), GPU_GROUP)));
    }

    /**
     * Returns a small work-item for each block of units in each row, (blocks, rows, directions). On a CPU a row is a
     * group, so that the driver compiles a loop over it. Change the number of rows by {@link #rows}.
     */
    NdRange blocks(int blocks, int rows, int directions) {
        return isTiny()
                ? NdRange.of(blocks, rows, directions).local(largest(blocks, most()), 1, 1)
                : NdRange.of(roundUp(blocks, GROUP_BLOCKS), rows(rows), directions)
                        .local(GROUP_BLOCKS, GROUP_ROWS, 1);
    }

    /** Returns the small work-items along {@code rows} rows. */
    long rows(int rows) {
        return isTiny() ? rows : roundUp(rows, GROUP_ROWS);
    }

    /** Returns {@code items} small work-items in groups as large as possible. */
    NdRange manyItems(long items) {
        return NdRange.of(items).local(largest(items, onCpu() ? most() : Math.min(most(), GPU_GROUP)));
    }

    /** Returns the size of the largest group of at most {@code most} that {@code size} is a multiple of. */
    private static long largest(long size, long most) {
        long local = Math.min(size, most);
        while (size % local != 0) {
            local--;
        }
        return local;
    }

    private long most() {
        return Math.min(items(), device.maxWorkItemSizes().get(0));
    }

    /** Returns the work-items of the largest group. */
    private long items() {
        return Math.min(device.maxWorkGroupSize(), limit);
    }

    /**
     * Returns rows of at least {@code width} small work-items, for a kernel that ignores those beyond its row. A group
     * has the same size for every width, so that a CPU's driver compiles the kernel once for all models.
     */
    NdRange paddedRows(int width, int rows, int directions) {
        long local = Math.min(onCpu() ? PADDED_GROUP : GPU_GROUP, most());
        return NdRange.of(roundUp(width, local), rows, directions).local(local, 1, 1);
    }

    private static long roundUp(long size, long multiple) {
        return (size + multiple - 1) / multiple * multiple;
    }

    /** Returns the groups of a staged tile: units first, because neighbors read neighboring weights. */
    static NdRange staged(Tile tile, int blocks, int rows, int directions) {
        Staging group = tile.staging();
        long across = tile.groupsAlong(blocks) * group.units();
        return NdRange.of(across, rowItems(tile, rows), directions).local(group.units(), group.rows(), 1);
    }

    /** Returns the work-items along the rows of a staged tile. */
    static long rowItems(Tile tile, int rows) {
        return tile.groupsDown(rows) * tile.staging().rows();
    }

    /** Returns whether groups are as small as can be: on a CPU, and on a device that runs no larger ones. */
    private boolean isTiny() {
        return onCpu()
                || items() < GPU_GROUP
                || device.maxWorkItemSizes().get(0) < GROUP_BLOCKS
                || device.maxWorkItemSizes().get(1) < GROUP_TILES;
    }

    private boolean onCpu() {
        return device.type() == Capabilities.Type.CPU;
    }
}
