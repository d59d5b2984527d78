package io.github.cellfuse.cli.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoCommandTest {
    private static final LanguageModel LANGUAGE = LanguageModel.load();

    @TempDir
    Path folder;

    private Cli.Result demo(Object... arguments) {
        Object[] command = new Object[arguments.length + 4];
        command[0] = "demo";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        command[command.length - 3] = "--html";
        command[command.length - 2] = folder.resolve("page.html");
        command[command.length - 1] = "--overwrite";
        return Cli.run(command);
    }

    @Test
    void theCountryDecidesTheLanguage() throws IOException {
        String out = demo().assertDone().out();
        List<String> lines = out.lines().toList();
        assertTrue(lines.get(0).startsWith("i stay in india . my sister works in france ."), out);
        assertTrue(lines.get(1).matches(" {2}hindi +9\\d\\.\\d % +#{25,30}"), out);
        assertTrue(out.contains("the cells remember \"india\" best"), out);
        assertTrue(out.contains("i stay in brazil ."), out);
        assertTrue(out.matches("(?s).*\\n {2}portuguese +9\\d\\.\\d %.*"), out);
        assertTrue(out.contains("the cells remember \"brazil\" best"), out);
        String page = Files.readString(folder.resolve("page.html"));
        assertTrue(page.contains("cellfuse-trace-1"));
        assertTrue(page.contains("\"compared_with\":\"a normal run on java\",\"same_bits\":true"));
    }

    @Test
    void theDeviceIsNamedAndItsBitsAreCompared() {
        Cli.Result java = demo("--device", "java").assertDone();
        assertTrue(java.err().contains("cellfuse: device java: selected by --device"), java.err());
        assertTrue(java.out().contains("Computed by java"), java.out());
        Cli.Result auto = demo().assertDone();
        if (!auto.err().contains("cellfuse: device java")) {
            assertTrue(auto.out().contains("values equal those of java."), auto.out());
        }
        assertEquals(predictions(java.out()), predictions(auto.out()));
    }

    @Test
    void aDeviceThatCannotBeTracedIsRefused() {
        Cli.Result reference = demo("--device", "reference");
        assertEquals(2, reference.exit());
        assertTrue(reference.err().contains("reference can't be traced"), reference.err());
        assertFalse(Files.exists(folder.resolve("page.html")));
    }

    private static List<String> predictions(String out) {
        return out.lines().filter(line -> line.startsWith("  ")).toList();
    }

    /** The answers for many countries, in one batch whose sentences have different lengths. */
    @Test
    void manyCountries() {
        Map<String, String> languages = Map.of(
                "india",
                "hindi",
                "japan",
                "japanese",
                "mexico",
                "spanish",
                "egypt",
                "arabic",
                "austria",
                "german",
                "brazil",
                "portuguese",
                "finland",
                "finnish",
                "monaco",
                "french",
                "tanzania",
                "swahili",
                "nepal",
                "nepali");
        List<String> statements = List.of("I live in %s.", "%s is my home.", "My family and I live in %s. It is late.");
        List<List<String>> sentences = new ArrayList<>();
        List<String> expected = new ArrayList<>();
        languages.forEach((country, language) -> statements.forEach(statement -> {
            sentences.add(LANGUAGE.words(
                    statement.formatted(country) + " My brother lives in Korea. The tea is hot. At home we speak"));
            expected.add(language);
        }));
        try (OnnxSession session = LANGUAGE.graph().session()) {
            Tensor logits = session.run(Map.of(LanguageModel.TOKENS, LANGUAGE.tokens(sentences)))
                    .get(LanguageModel.LOGITS);
            for (int n = 0; n < sentences.size(); n++) {
                List<LanguageModel.Prediction> next = LANGUAGE.next(
                        logits,
                        n,
                        sentences.get(n).size(),
                        LANGUAGE.vocabulary().size());
                assertEquals(
                        expected.get(n), next.get(0).word(), sentences.get(n).toString());
                assertEquals(
                        1,
                        next.stream()
                                .mapToDouble(LanguageModel.Prediction::probability)
                                .sum(),
                        1e-9);
            }
        }
    }

    @Test
    void sentencesAreSplitIntoWords() {
        assertEquals(
                List.of("i", "stay", "in", "india", ".", "i", "speak"), LANGUAGE.words("I stay in India. I speak ..."));
        assertEquals(List.of("hello", "i", "am", "anna", ".", "we"), LANGUAGE.words(" hello, I am Anna! we…"));
        assertThrows(InvalidInputException.class, () -> LANGUAGE.words(" ... "));
    }

    @Test
    void wordsOfTheCommandLineAreOneSentence() {
        String out = demo("i", "live", "in", "korea.", "I speak").assertDone().out();
        assertTrue(out.startsWith("i live in korea . i speak ..."), out);
        assertTrue(out.lines().toList().get(1).startsWith("  korean "), out);
    }

    @Test
    void mistakesAreNamed() {
        demo("I live in Atlantis. My dragon speaks").assertError(2, "atlantis, dragon", "--words", "259 words");
        demo("...").assertError(2, "found no word");
        assertFalse(Files.exists(folder.resolve("page.html")));
        Cli.run("demo", "--html", folder.resolve("page.txt")).assertError(2, ".html");
        Path page = folder.resolve("there.html");
        Cli.run("demo", "i", "--html", page, "--device", "java").assertDone();
        Cli.run("demo", "i", "--html", page, "--device", "java").assertError(2, "already exists", "--overwrite");
    }

    @Test
    void theWordsAreListed() {
        List<String> words =
                Cli.run("demo", "--words").assertDone().out().lines().toList();
        assertEquals(259, words.size());
        assertTrue(words.containsAll(List.of("india", "hindi", "speak", ".")));
    }
}
