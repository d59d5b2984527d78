package io.github.cellfuse.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.Tier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RowQueueTest {
    /** Rows that are finished are to do again, once; those that are to do anyway don't become more. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void rowsThatAreTakenBackAreToDoOnce(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            int rows = 1 + random.nextInt(40);
            List<Rows> finished = ranges(random, rows), wrong = ranges(random, rows);
            RowQueue queue = new RowQueue(rows, 1, finished, true);
            TreeSet<Long> todo = new TreeSet<>(LongStream.range(0, rows).boxed().toList());
            finished.forEach(range -> remove(todo, range));
            assertEquals(todo.size(), queue.left());
            queue.takeBack(wrong);
            wrong.forEach(range -> LongStream.range(range.first(), range.end()).forEach(todo::add));
            assertEquals(todo.size(), queue.left(), finished + " finished, taken back " + wrong);
        }
    }

    private static void remove(TreeSet<Long> rows, Rows range) {
        LongStream.range(range.first(), range.end()).forEach(rows::remove);
    }

    private static List<Rows> ranges(Random random, int rows) {
        return random.ints(random.nextInt(6), 0, rows)
                .mapToObj(first -> new Rows(first, 1 + random.nextInt(rows - first)))
                .toList();
    }

    /** Or every lane would wait for ever for rows that none of them takes. */
    @Test
    void aWindowEndsAtRowsThatAllRefuse() throws InterruptedException {
        RowQueue queue = new RowQueue(20, 1, List.of(), false);
        queue.setWindow(4);
        List<Lane<?, ?>> lanes = List.of(lane(0), lane(1));
        lanes.forEach(queue::join);
        for (Lane<?, ?> lane : lanes) {
            Rows first = queue.take(lane, row -> 2);
            assertEquals(new Rows(0, 2), first);
            queue.refuse(lane, first);
        }
        Rows second = queue.take(lanes.get(0), row -> 2);
        assertEquals(new Rows(2, 2), second);
        assertTrue(queue.finish(second));
        assertEquals(null, queue.take(lanes.get(0), row -> 2));
        assertEquals(null, queue.take(lanes.get(1), row -> 2));
        Lane<?, ?> fallback = lane(2);
        queue.join(fallback);
        assertEquals(new Rows(0, 2), queue.take(fallback, row -> 5));
        assertTrue(queue.finish(new Rows(0, 2)));
        assertEquals(new Rows(4, 3), queue.take(fallback, row -> 3));
    }

    /**
     * Lanes take, finish, give back and refuse rows at random, of chunks of changing sizes: every row is finished
     * exactly once, and no chunk has fewer rows than allowed.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void everyRowIsFinishedOnce(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            int fewest = 1 + random.nextInt(3), rows = fewest + random.nextInt(100);
            RowQueue queue = new RowQueue(rows, fewest, List.of(), false);
            List<Lane<?, ?>> lanes = List.of(lane(0), lane(1), lane(2));
            lanes.forEach(queue::join);
            record Taken(Lane<?, ?> lane, Rows rows) {}
            List<Taken> taken = new ArrayList<>();
            int[] finished = new int[rows];
            for (int step = 0; queue.left() > 0; step++) {
                Lane<?, ?> lane = lanes.get(random.nextInt(3));
                if (random.nextBoolean()) {
                    int most = fewest + random.nextInt(10);
                    Rows next = takeNow(queue, lane, most);
                    if (next != null) {
                        assertTrue(next.count() >= fewest && next.count() <= queue.largest(most), next::toString);
                        taken.add(new Taken(lane, next));
                    }
                } else if (!taken.isEmpty()) {
                    Taken one = taken.remove(random.nextInt(taken.size()));
                    int what = step > 2_000 ? 0 : random.nextInt(4);
                    switch (what) {
                        case 0, 1 -> {
                            assertTrue(queue.finish(one.rows()));
                            for (long row = one.rows().first(); row < one.rows().end(); row++) {
                                finished[(int) row]++;
                            }
                        }
                        case 2 -> queue.giveBack(one.lane(), one.rows());
                        default -> {
                            if (one.lane() != lanes.get(0)) { // the first may take everything
                                queue.refuse(one.lane(), one.rows());
                            } else {
                                queue.giveBack(one.lane(), one.rows());
                            }
                        }
                    }
                }
            }
            assertTrue(Arrays.stream(finished).allMatch(count -> count == 1), () -> Arrays.toString(finished));
        }
    }

    /** Returns rows for a lane, or null if it would have to wait. */
    private static Rows takeNow(RowQueue queue, Lane<?, ?> lane, int most) {
        Thread.currentThread().interrupt();
        try {
            return queue.take(lane, first -> most);
        } catch (InterruptedException e) {
            return null;
        } finally {
            Thread.interrupted();
        }
    }

    /** Returns a lane that is never started. */
    private static Lane<?, ?> lane(int index) {
        return new Lane<>(new Idle(new Device.OpenCl(9, index)), null, 1, true);
    }

    private record Idle(Device device) implements BatchEngine<ChunkInput, ChunkOutput> {
        @Override
        public Tier tier() {
            return Tier.EXACT;
        }

        @Override
        public ChunkInput newInput(int mostRows) {
            return new ChunkInput() {
                @Override
                public void read(long firstRow, int rows) {}

                @Override
                public long flops() {
                    return 0;
                }
            };
        }

        @Override
        public ChunkOutput newOutput(int mostRows) {
            return (firstRow, rows) -> 0;
        }

        @Override
        public ChunkSession<ChunkInput, ChunkOutput> newSession() {
            throw new AssertionError("never started");
        }
    }
}
