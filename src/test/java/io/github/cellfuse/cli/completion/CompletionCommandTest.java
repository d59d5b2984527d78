package io.github.cellfuse.cli.completion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cli.Cli;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The script, read by a real bash, which then completes what a user has typed so far. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class CompletionCommandTest {
    @TempDir
    Path folder;

    @Test
    void bashKnowsTheProgram() throws Exception {
        assertEquals(List.of("complete -o default -F _complete_cellfuse cellfuse"), bash("complete -p cellfuse"));
    }

    @Test
    void commandsAreCompleted() throws Exception {
        assertEquals(Set.of("verify"), completions("ver"));
        assertTrue(completions("").containsAll(Set.of("run", "verify", "bench", "tune", "info", "convert", "devices")));
    }

    @Test
    void optionsAndTheirValuesAreCompleted() throws Exception {
        assertEquals(Set.of("--layout", "--layers"), completions("run", "--la"));
        assertEquals(Set.of("auto", "java", "reference", "opencl"), completions("run", "--device", ""));
        assertEquals(Set.of("separate", "sequence"), completions("run", "--plan", "se"));
        assertEquals(Set.of("f16"), completions("bench", "--weights", "f1"));
    }

    private Set<String> completions(String... words) throws Exception {
        String line = "'" + String.join("' '", words) + "'";
        // bash has compopt only while it completes
        return Set.copyOf(bash("compopt() { :; }; COMP_WORDS=(cellfuse " + line + "); COMP_CWORD=" + words.length
                + "; _complete_cellfuse; printf '%s\\n' \"${COMPREPLY[@]}\""));
    }

    /** Runs {@code commands} in a bash that has read the script; returns the lines that they print. */
    private List<String> bash(String commands) throws Exception {
        Path script = folder.resolve("script");
        Files.writeString(script, Cli.run("completion").assertDone().out());
        Path err = folder.resolve("err");
        Process bash = new ProcessBuilder("bash", "--norc", "-c", ". " + script + " || exit; " + commands)
                .redirectError(err.toFile())
                .start();
        String out = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(bash.waitFor(60, TimeUnit.SECONDS));
        assertEquals("", Files.readString(err));
        return out.lines().toList();
    }
}
