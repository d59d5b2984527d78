package io.github.cellfuse.format.npy;

import static io.github.cellfuse.format.npy.FormatFixtures.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What isn't an array of numbers is refused with a line of Python that makes one of it, and this line works. */
class OtherArraysTest {
    private static final Pattern LINE = Pattern.compile("convert it in Python: (.*?)(; that is .*)?$");

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
            a.npy | complex    | 4       | np.save(F, np.array([1 + 2j, 3]))
            a.npy | structured | 3, 2    | np.save(F, np.ones(3, [("a", "f4"), ("b", "i4")]))
            a.npy | strings    | 2       | np.save(F, np.array(["1", "2.5"]))
            a.npy | strings    | 2       | np.save(F, np.array([b"1", b"2.5"]))
            a.npy | dates      | 2       | np.save(F, np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"))
            a.npy | time spans | 2       | np.save(F, np.array([1, 2], "timedelta64[ms]"))
            a.npy | size       | 2       | np.save(F, np.array([1, 2], np.longdouble))
            a.npy | objects    | 1, 2    | np.save(F, np.array([[1, 2.5]], object), allow_pickle=True)
            a.npz | complex    | 4       | np.savez(F, x=np.array([1 + 2j, 3]))
            a.csv | text       | 2, 3    | np.savetxt(F, np.ones((2, 3)), delimiter=",")
            a.csv | text       | 2, 3    | open(F, "w").write("a,b,c\\n1,2,3\\n4,5.5,-6e3\\n")
            a.tsv | text       | 2, 3    | open(F, "w").write("1\\t2\\t3\\n4\\t5\\tnan\\n")
            a.txt | text       | 2, 3    | np.savetxt(F, np.ones((2, 3)))
            a.txt | text       | 2, 3    | np.savetxt(F, np.ones((2, 3)), header="x y z")
            a.txt | JSON       | 2, 2    | open(F, "w").write("[[1, 2], [3, 4]]")
            a.gz  | gzip       | 2, 3    | import gzip; np.save(gzip.open(F, "wb"), np.ones((2, 3)))
            a.bz2 | bzip2      | 2, 3    | import bz2; np.save(bz2.open(F, "wb"), np.ones((2, 3)))
            a.xz  | xz         | 2, 3    | import lzma; np.save(lzma.open(F, "wb"), np.ones((2, 3)))
            a.pkl | pickle     | 2, 3    | import pickle; pickle.dump(np.ones((2, 3)), open(F, "wb"))
            a "b.npy | complex | 4       | np.save(F, np.array([1 + 2j, 3]))
            """)
    void isConvertedByTheLineThatIsNamed(String name, String kind, String shape, String making) throws Exception {
        Path file = folder.resolve(name.strip());
        Python.run("import sys, numpy as np\nF = sys.argv[1]\n" + making, file);
        String line = line(assertThrows(InvalidInputException.class, () -> open(file)), kind);
        assertEquals("(" + shape + (shape.contains(",") ? ")" : ",)"), convert(line, "np.load(\"new.npy\").shape"));
        NpyArray.open(folder.resolve("new.npy")).close();
    }

    private static void open(Path file) {
        if (file.toString().endsWith(".npz")) {
            try (NpzArchive archive = NpzArchive.open(file)) {
                archive.array("x").close();
            }
        } else {
            NpyArray.open(file).close();
        }
    }

    private static String line(InvalidInputException refusal, String kind) {
        String message = refusal.getMessage();
        assertTrue(message.contains(kind), message);
        Matcher line = LINE.matcher(message);
        assertTrue(line.find(), message);
        return line.group(1);
    }

    private String convert(String line, String print) throws Exception {
        return Python.run(
                "import os, sys, numpy as np\nos.chdir(sys.argv[1])\n" + line + "\nprint(" + print + ")", folder);
    }

    @Test
    void raggedSequencesGetZerosAndLengths() throws Exception {
        Path file = folder.resolve("ragged.npy");
        Python.run("""
                import sys, numpy as np
                a = np.empty(3, object)
                for k, t in enumerate([4, 0, 2]):
                    a[k] = np.full((t, 2), k + 1, "f4")
                np.save(sys.argv[1], a, allow_pickle=True)
                """, file);
        String line = line(assertThrows(InvalidInputException.class, () -> open(file)), "different lengths");
        convert(line, "0");
        try (NpyArray x = NpyArray.open(folder.resolve("new.npy"));
                NpyArray lengths = NpyArray.open(folder.resolve("lengths.npy"))) {
            assertArrayEquals(new long[] {3, 4, 2}, x.shape());
            assertArrayEquals(new int[] {4, 0, 2}, lengths.readInts(0, 3));
            assertArrayEquals(
                    new float[] {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 3, 3, 0, 0, 0, 0}, x.readAll());
        }
    }

    /** Formats whose libraries needn't be here: only how they begin. */
    @ParameterizedTest
    @CsvSource({
        "x.h5, \u0089HDF, h5py",
        "x.mat, MATLAB 5.0 MAT-file, loadmat",
        "x.mat, 'MATLAB 7.3 MAT-file, x', h5py",
        "x.parquet, PAR1, read_parquet",
        "x.arrow, ARROW1, read_feather",
        "x.xlsx, PK\u0003\u0004, read_excel",
        "x.xls, \u00D0\u00CF\u0011\u00E0\u00A1, read_excel",
        "x.pt, PK\u0003\u0004 archive/data.pkl, torch.load",
    })
    void foreignFormatsAreNamed(String name, String start, String line) throws Exception {
        Path file = Files.write(folder.resolve(name), start.getBytes(StandardCharsets.ISO_8859_1));
        assertRefused(
                () -> NpyArray.open(file), name + ": not a NumPy file", "convert it in Python: ", line, "np.save(");
    }
}
