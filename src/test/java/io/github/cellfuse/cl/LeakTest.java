package io.github.cellfuse.cl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What was dropped without being closed is reported, and not freed. */
class LeakTest {
    /** A thread would keep the class loader of a program that a container reloads. */
    @Test
    void noThreadIsLeftWhenEverythingIsClosed() throws Exception {
        ChildJvm.Result result = ChildJvm.run(Map.of(), List.of(), WatchesMain.class);
        assertEquals(0, result.exit(), result.err());
        assertEquals(
                List.of("open 1", "closed at most 1", "collected 0"),
                result.out().lines().toList());
    }

    @Test
    void aDroppedBufferIsReportedWithWhereItWasCreated() throws Exception {
        ChildJvm.Result result = ChildJvm.run(Map.of(), List.of("-Dcellfuse.leaks=true"), LeakMain.class);
        assertEquals(0, result.exit(), result.err());
        assertTrue(result.err().contains("buffer 'dropped' of 64 bytes was dropped without close()"), result.err());
        assertTrue(result.err().contains("LeakMain.drop"), result.err());
        assertFalse(result.err().contains("'kept'"), result.err());
        assertFalse(result.err().contains("'closed'"), result.err());
        assertEquals(
                "open before 3, after the report 3, after closing 0",
                result.out().strip());
    }

    @Test
    void withoutTheSwitchTheReportTellsOfIt() throws Exception {
        ChildJvm.Result result = ChildJvm.run(Map.of(), List.of(), LeakMain.class);
        assertEquals(0, result.exit(), result.err());
        assertTrue(result.err().contains("buffer 'dropped' of 64 bytes was dropped without close()"), result.err());
        assertTrue(result.err().contains("-Dcellfuse.leaks=true"), result.err());
        assertFalse(result.err().contains("LeakMain.drop"), result.err());
    }

    /** Drops one buffer, closes one and keeps one. */
    static final class LeakMain {
        private LeakMain() {}

        public static void main(String[] args) throws InterruptedException {
            ClContext context = TestDevices.first().open();
            ClBuffer kept = context.buffer("kept", 64, ClBuffer.Access.READ_WRITE);
            drop(context);
            long before = OpenCl.liveObjects();
            for (int i = 0; i < 20; i++) {
                System.gc();
                Thread.sleep(20);
            }
            long reported = OpenCl.liveObjects();
            kept.close();
            context.close();
            System.out.println("open before " + before + ", after the report " + reported + ", after closing "
                    + OpenCl.liveObjects());
        }

        private static void drop(ClContext context) {
            context.buffer("dropped", 64, ClBuffer.Access.READ_WRITE);
            context.buffer("closed", 64, ClBuffer.Access.READ_WRITE).close();
        }
    }
}
