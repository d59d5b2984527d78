package io.github.cellfuse.cl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ClBuffer.Access;
import io.github.cellfuse.cl.ProgramCache.Statistics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ProgramCacheTest {
    static final String SOURCE = """
            #ifndef ANSWER
            #define ANSWER 42 /* what the kernel writes */
            #endif
            __kernel void answer(__global int *out) { out[get_global_id(0)] = ANSWER; }
            """;

    @TempDir
    Path folder;

    private long liveBefore;

    @BeforeEach
    void count() {
        liveBefore = OpenCl.liveObjects();
    }

    @AfterEach
    void nothingIsLeftOpen() {
        assertEquals(liveBefore, OpenCl.liveObjects());
    }

    private static int answer(ProgramCache cache, ClDevice device, String options) {
        try (ClContext context = device.open();
                ClQueue queue = context.queue();
                ClProgram program = cache.program(context, "answer", List.of(SOURCE), options)) {
            ClBuffer out = context.buffer("out", 4, Access.WRITE_ONLY);
            queue.launch(program.kernel("answer").setBuffer(0, out), NdRange.of(1));
            ByteBuffer read = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
            queue.read(out, 0, read);
            return read.getInt(0);
        }
    }

    @Test
    void anInterruptedThreadUsesTheCacheAsWell() throws Exception {
        ProgramCache cache = ProgramCache.at(folder);
        String log = logOf(() -> {
            assertEquals(42, interruptedAnswer(cache));
            assertEquals(new Statistics(0, 1, 0, 1), cache.statistics());
            assertEquals(42, interruptedAnswer(cache));
            assertEquals(42, answer(cache));
            assertEquals(new Statistics(2, 1, 0, 1), cache.statistics());
        });
        assertFalse(log.contains("cache"), log);
    }

    private static int interruptedAnswer(ProgramCache cache) {
        Thread.currentThread().interrupt();
        try {
            return answer(cache);
        } finally {
            assertTrue(Thread.interrupted(), "the interrupt is the caller's to handle");
        }
    }

    private static int answer(ProgramCache cache) {
        return answer(cache, TestDevices.first(), "");
    }

    private List<Path> files() throws IOException {
        try (var list = Files.list(folder)) {
            return list.toList();
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void theSecondBuildComesFromDisk(ClDevice device) throws Exception {
        ProgramCache cache = ProgramCache.at(folder);
        assertEquals(42, answer(cache, device, ""));
        assertEquals(new Statistics(0, 1, 0, 1), cache.statistics());
        assertEquals(42, answer(cache, device, ""));
        assertEquals(new Statistics(1, 1, 0, 1), cache.statistics());
        // As after a restart.
        ProgramCache later = ProgramCache.at(folder);
        assertEquals(42, answer(later, device, ""));
        assertEquals(new Statistics(1, 0, 0, 0), later.statistics());
        assertEquals(1, files().size());
        assertEquals(Optional.of(folder.toAbsolutePath()), cache.folder());
    }

    @Test
    void otherOptionsAreAnotherEntry() throws Exception {
        ProgramCache cache = ProgramCache.at(folder);
        assertEquals(42, answer(cache));
        assertEquals(7, answer(cache, TestDevices.first(), "-D ANSWER=7"));
        assertEquals(new Statistics(0, 2, 0, 2), cache.statistics());
        assertEquals(2, files().size());
    }

    @Test
    void noPartOfTheKeyCanPassForAnother() {
        assertFalse(Arrays.equals(CacheEntry.key(List.of("ab", "c")), CacheEntry.key(List.of("a", "bc"))));
    }

    @Test
    void damagedEntriesAreCompiledAnew() throws Exception {
        answer(ProgramCache.at(folder));
        Path entry = files().get(0);
        byte[] good = Files.readAllBytes(entry);
        List<byte[]> damaged = new ArrayList<>();
        for (int at :
                new int[] {0, 9, 47, 50, good.length / 2, good.length - 1}) { // magic, key, length, checksum, binary
            byte[] flipped = good.clone();
            flipped[at] ^= 0x10;
            damaged.add(flipped);
        }
        for (int length : new int[] {0, 7, 79, 80, good.length - 1}) {
            damaged.add(Arrays.copyOf(good, length));
        }
        damaged.add(Arrays.copyOf(good, good.length + 1));
        byte[] huge = good.clone();
        ByteBuffer.wrap(huge).putLong(40, Long.MAX_VALUE);
        damaged.add(huge);
        for (byte[] bytes : damaged) {
            Files.write(entry, bytes);
            ProgramCache cache = ProgramCache.at(folder);
            assertEquals(42, answer(cache));
            assertEquals(new Statistics(0, 1, 1, 1), cache.statistics());
            assertEquals(42, answer(cache));
            assertEquals(new Statistics(1, 1, 1, 1), cache.statistics());
        }
    }

    @Test
    void aBinaryThatTheDriverRejectsIsCompiledAnew() throws Exception {
        answer(ProgramCache.at(folder));
        Path entry = files().get(0);
        byte[] key = HexFormat.of().parseHex(entry.getFileName().toString().substring(0, 64));
        CacheEntry.write(
                entry, key, "whole, but no program of this driver".repeat(10).getBytes(StandardCharsets.UTF_8));
        ProgramCache cache = ProgramCache.at(folder);
        assertEquals(42, answer(cache));
        assertEquals(new Statistics(0, 1, 1, 1), cache.statistics());
        assertEquals(42, answer(cache));
        assertEquals(1, cache.statistics().hits());
    }

    @Test
    void aFailedBuildIsNotCached() throws Exception {
        ProgramCache cache = ProgramCache.at(folder);
        try (ClContext context = TestDevices.first().open()) {
            assertThrows(
                    ClBuildException.class,
                    () -> cache.program(context, "broken", List.of("__kernel void f() { x }"), ""));
        }
        assertEquals(List.of(), files());
    }

    @Test
    void aFolderThatCannotBeWrittenIsDoneWithout() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        ProgramCache cache = ProgramCache.at(file.resolve("below"));
        assertEquals(42, answer(cache));
        assertEquals(42, answer(cache));
        assertEquals(new Statistics(0, 2, 0, 0), cache.statistics());
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // it has no modes
    void whatItWritesIsTheUsersAlone() throws Exception {
        Path cache = folder.resolve("a/b");
        answer(ProgramCache.at(cache));
        assertEquals("rwx------", mode(cache));
        try (var entries = Files.list(cache)) {
            assertEquals(
                    List.of("rw-------"), entries.map(ProgramCacheTest::mode).toList());
        }
    }

    private static String mode(Path path) {
        try {
            return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // it has no modes
    void aFolderThatOthersCanWriteIsNotUsed() throws Exception {
        answer(ProgramCache.at(folder));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwx---"));
        ProgramCache cache = ProgramCache.at(folder);
        String log = logOf(() -> assertEquals(42, answer(cache) + answer(cache) - 42));
        assertEquals(new Statistics(0, 2, 0, 0), cache.statistics());
        String real = folder.toRealPath().toString();
        String expected = "the program cache isn't used: " + real + " can be written by other users ('chmod go-w "
                + real + "'); programs are compiled each time. -Dcellfuse.cache=DIR moves it";
        assertEquals(2, log.split(Pattern.quote(expected), -1).length, log); // one warning
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // it has no owners that it could ask
    void aFolderOfAnotherUserIsNotUsed() throws Exception {
        answer(ProgramCache.at(folder));
        ProgramCache cache = ProgramCache.at(folder, FileTrustTest.NOBODY);
        String log = logOf(() -> assertEquals(42, answer(cache)));
        assertEquals(new Statistics(0, 1, 0, 0), cache.statistics());
        assertTrue(log.contains("the program cache isn't used: " + folder.toRealPath() + " belongs to another"), log);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // it has no modes
    void entriesThatOthersCanHaveWrittenAreCompiledAnew() throws Exception {
        answer(ProgramCache.at(folder));
        Path entry = files().get(0);
        Files.setPosixFilePermissions(entry, PosixFilePermissions.fromString("rw-rw-rw-"));
        assertReplaced(entry, "can be written by other users");
        Path elsewhere = Files.move(entry, folder.resolve("elsewhere"));
        Files.createSymbolicLink(entry, elsewhere);
        assertReplaced(entry, "expected a file, found a link");
        assertTrue(Files.exists(elsewhere), "the link is deleted, not what it names");
        Files.delete(entry);
        Files.createDirectory(entry); // deleted as well, as it is empty
        assertReplaced(entry, "expected a file, found a link, a folder");
    }

    private void assertReplaced(Path entry, String reason) throws Exception {
        ProgramCache cache = ProgramCache.at(folder);
        String log = logOf(() -> assertEquals(42, answer(cache)));
        assertEquals(new Statistics(0, 1, 1, 1), cache.statistics());
        assertTrue(log.contains("is compiled again: its cache entry") && log.contains(reason), log);
        assertTrue(Files.isRegularFile(entry, LinkOption.NOFOLLOW_LINKS));
        assertEquals("rw-------", mode(entry));
    }

    @Test
    void aLinkToAFolderIsFollowed() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("link"), Files.createDirectory(folder.resolve("target")));
        answer(ProgramCache.at(link));
        ProgramCache later = ProgramCache.at(link);
        assertEquals(42, answer(later));
        assertEquals(new Statistics(1, 0, 0, 0), later.statistics());
    }

    private static String logOf(Runnable work) {
        PrintStream err = System.err;
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
        try {
            work.run();
        } finally {
            System.setErr(err);
        }
        return log.toString(StandardCharsets.UTF_8);
    }

    @Test
    void disabledItWritesNothing() throws Exception {
        ProgramCache cache = chosen("off", ProgramCache::fromEnvironment);
        assertEquals(42, answer(cache));
        assertEquals(42, answer(cache));
        assertEquals(new Statistics(0, 2, 0, 0), cache.statistics());
        assertEquals(Optional.empty(), cache.folder());
    }

    @Test
    void poclsProgramsAreLeftToPocl() {
        for (ClDevice device : TestDevices.list()) {
            ProgramCache cache = chosen(folder.resolve(device.id()).toString(), () -> ProgramCache.forDevice(device));
            assertEquals(42, answer(cache, device, ""));
            assertEquals(42, answer(cache, device, ""));
            boolean pocl = device.platformName().equals("Portable Computing Language");
            assertEquals(pocl ? new Statistics(0, 2, 0, 0) : new Statistics(1, 1, 0, 1), cache.statistics());
        }
    }

    /** Returns {@code cache} with {@code cellfuse.cache} set. */
    private static ProgramCache chosen(String value, Supplier<ProgramCache> cache) {
        String before = System.setProperty("cellfuse.cache", value);
        try {
            return cache.get();
        } finally {
            if (before == null) {
                System.clearProperty("cellfuse.cache");
            } else {
                System.setProperty("cellfuse.cache", before);
            }
        }
    }

    @Test
    void threadsMayBuildAtOnce() throws Exception {
        ProgramCache cache = ProgramCache.at(folder);
        int threads = 4;
        CyclicBarrier start = new CyclicBarrier(threads);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<Integer>> answers = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                answers.add(pool.submit(() -> {
                    start.await();
                    return answer(cache);
                }));
            }
            for (Future<Integer> answer : answers) {
                assertEquals(42, answer.get());
            }
        } finally {
            pool.shutdownNow();
        }
        Statistics statistics = cache.statistics();
        assertEquals(threads, statistics.hits() + statistics.misses());
        assertEquals(0, statistics.rejected());
        assertEquals(1, files().size());
    }

    @Test
    void processesMayBuildAtOnce() throws Exception {
        ChildJvm first = ChildJvm.start(Map.of(), List.of(), CacheMain.class, folder.toString());
        ChildJvm second = ChildJvm.start(Map.of(), List.of(), CacheMain.class, folder.toString());
        for (ChildJvm child : List.of(first, second)) {
            ChildJvm.Result result = child.await();
            assertEquals(0, result.exit(), result.err());
            assertTrue(result.out().contains("rejected=0"), result.out());
        }
        assertEquals(1, files().size());
        ProgramCache third = ProgramCache.at(folder);
        assertEquals(42, answer(third));
        assertEquals(new Statistics(1, 0, 0, 0), third.statistics());
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // the paths below are absolute elsewhere only
    void theFolderIsTheOneAsked() {
        assertEquals("/p", folder(Map.of("cellfuse.cache", "/p", "user.home", "/h"), Map.of("CELLFUSE_CACHE", "/e")));
        assertEquals("/e", folder(Map.of("user.home", "/h"), Map.of("CELLFUSE_CACHE", "/e", "XDG_CACHE_HOME", "/x")));
        assertEquals("/x/cellfuse", folder(Map.of("user.home", "/h"), Map.of("XDG_CACHE_HOME", "/x")));
        assertEquals("/h/.cache/cellfuse", folder(Map.of("user.home", "/h"), Map.of("XDG_CACHE_HOME", "relative")));
        assertEquals("/h/.cache/cellfuse", folder(Map.of("user.home", "/h"), Map.of("CELLFUSE_CACHE", " ")));
        assertEquals("/h/Library/Caches/cellfuse", folder(Map.of("user.home", "/h", "os.name", "Mac OS X"), Map.of()));
        assertEquals(
                "/l/cellfuse/cache",
                folder(Map.of("user.home", "/h", "os.name", "Windows 11"), Map.of("LOCALAPPDATA", "/l")));
        assertEquals("none", folder(Map.of("user.home", "/h", "os.name", "Windows 11"), Map.of()));
        assertEquals("none", folder(Map.of("cellfuse.cache", "off"), Map.of("CELLFUSE_CACHE", "/e")));
        assertEquals("none", folder(Map.of("user.home", "/h"), Map.of("CELLFUSE_CACHE", "off")));
        assertEquals("none", folder(Map.of("user.home", "?"), Map.of()));
        assertEquals("none", folder(Map.of("cellfuse.cache", "\0"), Map.of()));
    }

    private static String folder(Map<String, String> properties, Map<String, String> environment) {
        return ProgramCache.folder(properties::get, environment::get)
                .map(Path::toString)
                .orElse("none");
    }

    @Test
    void thePropertyReachesTheCache() throws Exception {
        assertTrue(fromEnvironmentIn(List.of("-Dcellfuse.cache=" + folder)).contains(folder.toString()));
        assertTrue(fromEnvironmentIn(List.of("-Dcellfuse.cache=off")).contains("Optional.empty"));
    }

    private static String fromEnvironmentIn(List<String> options) throws Exception {
        return ChildJvm.run(Map.of(), options, FolderMain.class).out();
    }

    /** Prints where the cache of the environment is. */
    static final class FolderMain {
        private FolderMain() {}

        public static void main(String[] args) {
            System.out.println(ProgramCache.fromEnvironment().folder());
        }
    }
}
