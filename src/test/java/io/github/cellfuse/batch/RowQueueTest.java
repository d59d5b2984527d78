package io.github.cellfuse.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.LongStream;
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
}
