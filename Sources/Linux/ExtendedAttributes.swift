import CLinux
import Glibc
import SystemPackage

/// One extended attribute of a file, e.g. `security.capability`.
package struct ExtendedAttribute: Hashable, Sendable {
    package let name: PathBytes
    package let value: [UInt8]

    package init(name: PathBytes, value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

extension Directory {
    /// The extended attributes of a name in byte order of their names; none where the file system has no such thing.
    ///
    /// The corresponding system calls are `llistxattr(2)` and `lgetxattr(2)`.
    package func extendedAttributes(_ name: PathBytes) throws -> [ExtendedAttribute] {
        let list = try unsafe attributeBytes(name, "list the attributes of") { name, buffer, size in
            unsafe linux_llistxattrat(descriptor.number, name, buffer?.assumingMemoryBound(to: CChar.self), size)
        }
        guard let list, !list.isEmpty else { return [] }
        var attributes: [ExtendedAttribute] = []
        for key in list.split(separator: 0).map({ PathBytes($0) }).sorted() {
            let value = try unsafe key.withCString { attribute in
                try unsafe attributeBytes(name, "read an attribute of") { name, buffer, size in
                    unsafe linux_lgetxattrat(descriptor.number, name, attribute, buffer, size)
                }
            }
            if let value { attributes.append(ExtendedAttribute(name: key, value: value)) }
        }
        return attributes
    }

    /// Sets an extended attribute of a name, not following links. The corresponding system call is `lsetxattr(2)`.
    package func setExtendedAttribute(_ name: PathBytes, _ attribute: ExtendedAttribute) throws {
        try unsafe name.withCString { name in
            try unsafe attribute.name.withCString { key in
                try check("set an attribute of", attribute.name) {
                    unsafe attribute.value.withUnsafeBytes {
                        unsafe linux_lsetxattrat(descriptor.number, name, key, $0.baseAddress, $0.count)
                    }
                }
            }
        }
    }

    /// Calls with a growing buffer until the answer fits; `nil` when there is no such attribute or no support for any.
    private func attributeBytes(
        _ name: PathBytes, _ call: String,
        _ body: (UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
    ) throws -> [UInt8]? {
        try unsafe name.withCString { text -> [UInt8]? in
            var buffer = [UInt8](repeating: 0, count: 256)
            while true {
                let count = unsafe buffer.withUnsafeMutableBytes { unsafe body(text, $0.baseAddress, $0.count) }
                if count >= 0 { return Array(buffer[..<count]) }
                switch Errno.current {
                case .outOfRange: buffer = [UInt8](repeating: 0, count: buffer.count * 16)
                case .notSupported, .noData, .noSuchFileOrDirectory: return nil
                case .interrupted: continue
                case let error: throw LinuxError(error, call, name)
                }
            }
        }
    }
}
