package io.github.cellfuse.cl;

import java.nio.file.Path;
import java.util.List;

/** Builds one program through the cache in the folder given, runs nothing, and prints what the cache did. */
final class CacheMain {
    private CacheMain() {}

    public static void main(String[] args) {
        ProgramCache cache = ProgramCache.at(Path.of(args[0]));
        try (ClContext context = TestDevices.first().open();
                ClProgram program = cache.program(context, "child", List.of(ProgramCacheTest.SOURCE), "")) {
            program.kernel("answer").close();
        }
        System.out.println(cache.statistics());
    }
}
