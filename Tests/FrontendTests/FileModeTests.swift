import Graph
import Testing

/// Tests of `--chmod` on the modes of files and directories.
@Suite struct FileModeTests {
    @Test(
        arguments: [
            // X looks at the mode before any change.
            ("a-x+X", 0o755, 0o755), ("a-x+X", 0o644, 0o644), ("a-x,a+X", 0o755, 0o755), ("a=rX", 0o750, 0o555),
            ("a=rX", 0o644, 0o444), ("a=X", 0o700, 0o111), ("a-X", 0o755, 0o644), ("u=rwX,go=rX", 0o700, 0o755),
            // A copy of a class leaves set-id bits alone, any other = does not.
            ("g=u", 0o6751, 0o6771), ("u=g", 0o4750, 0o4550), ("a=rX", 0o6755, 0o555), ("u=rwx", 0o4755, 0o755),
            ("o=r", 0o6755, 0o6754), ("g=us", 0o741, 0o2701), ("g=su", 0o741, 0o2771), ("g+u", 0o741, 0o771),
            ("o-u", 0o747, 0o740),
            // The sticky bit is changed by t only.
            ("a=rx", 0o1777, 0o1555), ("a=t", 0o777, 0o1000), ("o+t", 0o755, 0o755), ("u+t", 0o755, 0o1755),
            ("+t", 0o755, 0o1755), ("-t", 0o1755, 0o755), ("o+s", 0o755, 0o755), ("+s", 0o755, 0o6755),
            ("g-s", 0o6755, 0o4755), ("u+w,g+w-x", 0o555, 0o765), ("go=", 0o777, 0o700), ("=", 0o777, 0),
            ("4755", 0o644, 0o4755),
        ] as [(String, UInt32, UInt32)])
    func file(_ text: String, _ mode: UInt32, _ result: UInt32) throws {
        #expect(try FileMode(parsing: text).applied(to: mode, isDirectory: false) == result)
    }

    @Test(arguments: [("a=rX", 0o700, 0o555), ("a-x+X", 0o644, 0o755)] as [(String, UInt32, UInt32)])
    func directory(_ text: String, _ mode: UInt32, _ result: UInt32) throws {
        #expect(try FileMode(parsing: text).applied(to: mode, isDirectory: true) == result)
    }

    @Test(arguments: [("4755", 0o755), ("1777", 0o777), ("700", 0o700), ("u+s", 0o755)] as [(String, UInt32)])
    func directoriesMadeOnTheWayHaveNoSpecialBits(_ text: String, _ mode: UInt32) throws {
        #expect(try FileMode(parsing: text).forNewDirectories == mode)
    }
}
